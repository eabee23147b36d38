// SPDX-License-Identifier: MIT

/** Nodes, links, switches and wires: host names and names of files. Not with `-` in front, as options are. */
export const NAME = /^[A-Za-z0-9_][A-Za-z0-9_-]{0,31}$/;
export const NAME_EXPECTED = 'a name of 1 to 32 letters, digits, _ and -, with no - in front';

/** A name that the kernel takes for a network interface, and that needs no quoting in a shell. */
export const INTERFACE = /^(?!lo$|\.{1,2}$)[A-Za-z0-9._-]{1,15}$/;
export const INTERFACE_EXPECTED =
  'a name of 1 to 15 letters, digits, ., _ and -, such as eth0, which is not lo';

/** `a.eth0`: names of nodes hold no `.`, those of interfaces may. */
export const ENDPOINT = /^[A-Za-z0-9_-]{1,32}\.[A-Za-z0-9._-]{1,15}$/;
/** `a.gpio0` */
export const PIN = /^[A-Za-z0-9_-]{1,32}\.[!-~]{1,32}$/;

/** A serial line or console of a guest; its tty0 is for the first words of its kernel. */
export const SERIAL = /^tty(?:S(?:\d|1[0-5])|[1-9]|1[0-5])$/;
export const SERIAL_EXPECTED = 'a line from ttyS0 to ttyS15, or a console from tty1 to tty15';

/** The two halves of `a.eth0`. */
export function splitDot(text: string): readonly [node: string, rest: string] {
  const dot = text.indexOf('.');
  return [text.slice(0, dot), text.slice(dot + 1)];
}
