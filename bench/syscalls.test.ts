// SPDX-License-Identifier: MIT
import { expect, it } from 'vitest';
import { parseSummary } from './syscalls.js';

const SUMMARY = `% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ------------------
 50.82    0.461840      230920         2           waitid
 10.60    0.096282           3     30427        15 recvmsg
  0.00    0.000000           0         1           access
------ ----------- ----------- --------- --------- ------------------
100.00    0.908815          13     67789        64 total
`;

it('reads calls, with errors and without', () => {
  expect([...parseSummary(SUMMARY)]).toEqual([
    ['waitid', 2],
    ['recvmsg', 30427],
    ['access', 1],
  ]);
});
