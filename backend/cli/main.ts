#!/usr/bin/env node
// SPDX-License-Identifier: MIT
import { program } from './program.js';

await program().parseAsync(process.argv);
