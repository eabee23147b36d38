// SPDX-License-Identifier: MIT
import { isIPv6 } from 'node:net';

/** `192.168.1.21:7424`, `bp1.example:7424`, `[fd00::21]:7424` */
export const AGENT = /^(?:\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9][A-Za-z0-9.-]{0,252}):\d{1,5}$/;
export const AGENT_EXPECTED = 'a host and a port, such as 192.168.1.21:7424';

/** The two halves of an agent's address; undefined where there is no such host or port. */
export function parseAgent(written: string): { host: string; port: number } | undefined {
  const colon = written.lastIndexOf(':');
  const bracketed = written.startsWith('[');
  const host = bracketed ? written.slice(1, colon - 1) : written.slice(0, colon);
  const port = Number(written.slice(colon + 1));
  return port >= 1 && port <= 65_535 && (!bracketed || isIPv6(host)) ? { host, port } : undefined;
}
