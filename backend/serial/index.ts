// SPDX-License-Identifier: MIT
export { SerialLine, type SerialOwner, type SerialPort } from './serial-line.js';
