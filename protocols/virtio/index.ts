// SPDX-License-Identifier: MIT
export * from './console.js';
export * from './features.js';
export * from './gpio.js';
export * from './mmio.js';
export * from './net.js';
export * from './ring.js';
