#!/usr/bin/env -S node --max-semi-space-size=4
// SPDX-License-Identifier: MIT
// By itself the young generation of the heap grows to 32 MB in a run of many guests, which makes it no faster.
import { program } from './program.js';

await program().parseAsync(process.argv);
