// SPDX-License-Identifier: MIT
import type { Duration, Instant } from '../calendar/time.js';

/** A checked topology: every name resolves, every value is possible, every default is filled in. */
export interface Topology {
  readonly name: string;
  /** Every random choice of the run comes from it; 0 … 2^64-1. */
  readonly seed: bigint;
  /** The time of day at virtual time 0, in nanoseconds since 1970-01-01T00:00:00Z. */
  readonly start: bigint;
  /** The run ends here at the latest; undefined: when every node with `run` has ended. */
  readonly until: Instant | undefined;
  /** In the order of the file, which is the order of {@link NodeSpec.index}. */
  readonly nodes: readonly NodeSpec[];
  readonly links: readonly LinkSpec[];
  readonly switches: readonly SwitchSpec[];
  readonly wires: readonly WireSpec[];
  readonly shared: readonly SharedSpec[];
  /** What partitions have in turn: each of them is in slots of one. */
  readonly processors: readonly ProcessorSpec[];
  /** What happens before `until`, by time; what happens at one instant, in the order of the file. */
  readonly changes: readonly ChangeSpec[];
}

export interface NodeSpec {
  readonly name: string;
  /** 0, 1, 2 … in the order of the file: the node's place in every deterministic order. */
  readonly index: number;
  readonly kind: 'uml' | 'kvm' | 'board' | 'partition' | 'script';
  /** Bytes. */
  readonly memory: number;
  readonly root: 'initramfs' | 'host';
  /** A kernel other than the one that was built here; an absolute path. */
  readonly kernel: string | undefined;
  /** Of a KVM guest: its kernel keeps virtual time by hypercall, or has the timers of a PC, which keep it; or it is live. */
  readonly clock?: 'paravirtual' | 'emulated' | 'real';
  /** Of a KVM guest: the folder with modules that its init inserts; an absolute path. */
  readonly modules?: string;
  /** Of a partition: its program; an absolute path. */
  readonly program?: string;
  readonly interfaces: readonly InterfaceSpec[];
  /** The names of its GPIO lines by offset, those of its pins among them; empty: it has no pin on a wire. */
  readonly lines: readonly string[];
  /** Its serial lines and consoles, in the order of the file. */
  readonly serial?: readonly SerialSpec[];
  /** Given to the guest's `/bin/sh -c`. */
  readonly run: string | undefined;
  /** What its state must be at the end. */
  readonly expect: { readonly exit: number } | 'running' | undefined;
  /** What a hang or death of the guest does to the run. */
  readonly onFailure: 'fail' | 'evict';
  /** Of a board, and of a live guest: it is in real time, and can be frozen. */
  readonly board?: BoardSpec;
}

export interface SerialSpec {
  /** ttyS0, tty1 … */
  readonly name: string;
  /** Whether the guest acknowledges input, so that it arrives at an exact time. */
  readonly acknowledge: boolean;
}

export interface BoardSpec {
  /** Where its agent is; undefined: it is a virtual board, a guest of this machine in real time. */
  readonly agent: AgentSpec | undefined;
  /** The lines by which it is frozen: of a virtual board, its pins; else what the kernel module is to call them. */
  readonly pause: string;
  /** Undefined: the falling edge of the pause line resumes. */
  readonly resume: string | undefined;
  /** What it drives itself; undefined: it only listens. */
  readonly signal: string | undefined;
  /** How long it stays frozen at most without a word from the controller. */
  readonly watchdog: Duration;
  /** Time dilation factor of its processes in thousandths. */
  readonly tdf: number;
}

export interface AgentSpec {
  readonly host: string;
  readonly port: number;
  /** The file with the key that both ends have; an absolute path. */
  readonly keyFile: string;
}

export interface InterfaceSpec {
  /** `eth0` */
  readonly name: string;
  /** Six bytes: the file's, or made from the seed and the names, and then locally administered. */
  readonly mac: Uint8Array;
  /** `10.0.0.1/24`, `fd00::1/64`; in the order of the file. */
  readonly addresses: readonly string[];
  /** Bytes of payload in an Ethernet frame. */
  readonly mtu: number;
  /** Of a board elsewhere: the network interface of this machine to which its cable leads. */
  readonly device?: string;
}

/** A processor that partitions have in turn. */
export interface ProcessorSpec {
  readonly name: string;
  /** Above zero. */
  readonly frame: Duration;
  /** In order, within the frame, and without overlap. */
  readonly slots: readonly { readonly partition: string; readonly at: Duration; readonly length: Duration }[];
  /** Timers: each is raised at every whole multiple of its period, which is above zero. */
  readonly lines: readonly { readonly number: number; readonly period: Duration }[];
}

/** One end of a link, or a port of a switch. */
export interface Endpoint {
  readonly node: string;
  readonly interface: string;
}

/** What a cable does to a frame, in each direction separately. */
export interface CableSpec {
  readonly latency: Duration;
  /** Bits per second; undefined: a frame takes no time to serialise. */
  readonly rate: bigint | undefined;
  /** Chance that a frame is lost, in parts of 1 000 000 000. */
  readonly loss: number;
  /** Extra delay, drawn evenly from 0 … jitter for each frame; frames never overtake each other. */
  readonly jitter: Duration;
  /** Frames that may wait behind the one that is being serialised. */
  readonly queue: number;
}

export interface LinkSpec extends CableSpec {
  readonly name: string;
  readonly between: readonly [Endpoint, Endpoint];
}

export interface SwitchSpec extends CableSpec {
  readonly name: string;
  readonly ports: readonly Endpoint[];
}

/** A link, a switch or a wire is another one from an instant on. What is undefined stays as it is. */
export interface ChangeSpec {
  readonly at: Instant;
  /** The name of a link, switch or wire. */
  readonly name: string;
  /** The index of the switch's port that alone changes; undefined: all of it. */
  readonly port: number | undefined;
  /** Of a wire, only the latency may be there. */
  readonly cable: { readonly [Key in keyof CableSpec]: CableSpec[Key] | undefined };
  /** Whether anything gets through. */
  readonly state: 'up' | 'down' | undefined;
}

/** A pin of a node: `a.gpio0`. */
export interface Pin {
  readonly node: string;
  readonly line: string;
}

export interface WireSpec {
  readonly name: string;
  readonly pins: readonly Pin[];
  /** What a change at one pin takes to the others. */
  readonly latency: Duration;
  /** What it is when nobody drives it. */
  readonly pull: 'up' | 'down';
  readonly role: 'freeze' | undefined;
  /** The lines of this machine that join it to copper; one of them at least. */
  readonly host?: { readonly drive: HostLineSpec | undefined; readonly sense: HostLineSpec | undefined };
}

/** A variable that KVM guests share. */
export interface SharedSpec {
  readonly name: string;
  /** What guests call it. */
  readonly variable: number;
  /** Names of nodes, two or more. Of jiffies, the first keeps time. */
  readonly between: readonly string[];
  readonly method: 'ordered' | 'local-first';
  /** What an update takes to the others. */
  readonly latency: Duration;
}

/** A GPIO line of this machine. */
export interface HostLineSpec {
  /** As the file has it: `gpiochip0/17`, `gpio17`. */
  readonly name: string;
  /** `gpiochip0`; undefined: it is used by sysfs. */
  readonly chip: string | undefined;
  /** Its place in the chip; by sysfs, its number in the kernel. */
  readonly offset: number;
}
