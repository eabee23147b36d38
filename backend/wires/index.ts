// SPDX-License-Identifier: MIT
export { type Drive, End, type Level, Net, type Pull, resolve, type Step } from './net.js';
