// SPDX-License-Identifier: MIT
// A controller with members of a group: `hub METHOD SOCKET` has the hub, `remote METHOD SOCKET` connects to it. Takes a
// JSON command a line and says what happens, a JSON object a line.
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { instant } from '../../backend/calendar/index.js';
import { numbers } from '../../backend/calendar/testing/model.js';
import {
  Connection,
  connectGroup,
  HubServer,
  type Member,
  type Method,
  RemoteHub,
  serveGroup,
} from '../../backend/write-update/index.js';
import { NativeHub } from '../../host/native/index.js';

/** What the test asks for. */
export type Command =
  | {
      readonly do: 'join';
      readonly member: number;
      readonly variables: readonly (readonly [number, number])[];
    }
  | {
      readonly do: 'change';
      readonly member: number;
      readonly variable: number;
      readonly value: string;
      readonly at: number;
    }
  | { readonly do: 'remove'; readonly member: number }
  | { readonly do: 'resend' }
  /** From now on one in so many messages to the other controller is lost, and one in so many is sent twice. */
  | { readonly do: 'spoil'; readonly lose: number; readonly repeat: number; readonly seed: number }
  | { readonly do: 'disconnect' }
  | { readonly do: 'echo'; readonly text: string };

/** What it says. */
export type Report =
  | { readonly is: 'ready' }
  | {
      readonly is: 'stored';
      readonly member: number;
      readonly variable: number;
      readonly value: string;
      readonly sequence: number;
      readonly origin: number;
    }
  | { readonly is: 'gone'; readonly member: number; readonly error: string | undefined }
  | { readonly is: 'lost'; readonly error: string }
  | { readonly is: 'echo'; readonly text: string };

const POLL_MS = 1_000;
const [role, method, path] = process.argv.slice(2) as [string, Method, string];
const sockets = new NativeHub();
const members = new Map<number, Member>();

function say(report: Report): void {
  writeSync(1, `${JSON.stringify(report)}\n`);
}

let group: HubServer | RemoteHub;
if (role === 'hub') {
  const server = new HubServer(method, {
    isRemote: (member) => member >= 10,
    gone: (member, error) => say({ is: 'gone', member, error: error?.message }),
  });
  serveGroup(sockets, path, server);
  group = server;
} else {
  group = new RemoteHub(connectGroup(sockets, path), 'the hub', method, ({ message }) =>
    say({ is: 'lost', error: message }),
  );
}

function obey(command: Command): void {
  switch (command.do) {
    case 'join': {
      const { member: id } = command;
      const member = group.member(id, ({ variable, value, sequence, origin }) =>
        say({ is: 'stored', member: id, variable, value: `${value}`, sequence, origin }),
      );
      for (const [variable, size] of command.variables) member.register(variable, size);
      members.set(id, member);
      return;
    }
    case 'change': {
      const { member, variable, value, at } = command;
      // As a guest does.
      if (method === 'local-first')
        say({ is: 'stored', member, variable, value, sequence: 0, origin: member });
      return members.get(member)?.change(variable, BigInt(value), 1n, instant(BigInt(at)));
    }
    case 'remove':
      return group.remove(command.member);
    case 'resend':
      return group.resend();
    case 'spoil':
      return spoil(command.lose, command.repeat, numbers(command.seed));
    case 'disconnect':
      return group.close();
    case 'echo':
      return say({ is: 'echo', text: command.text });
  }
}

/** Loses and repeats what would go to the other controller. */
function spoil(lose: number, repeat: number, random: (below: number) => number): void {
  const send = Connection.prototype.send;
  Connection.prototype.send = function (message) {
    if (random(lose) === 0) return;
    send.call(this, message);
    if (random(repeat) === 0) send.call(this, message);
  };
}

const input = new PassThrough();
createInterface({ input }).on('line', (line) => obey(JSON.parse(line) as Command));
let open = true;
sockets.open(0, {
  onData: (bytes) => void input.write(Buffer.from(bytes)),
  onClose: () => {
    open = false;
  },
});
say({ is: 'ready' });
while (open) {
  sockets.poll(POLL_MS);
  group.check(performance.now());
  // What came on standard input is read line by line in a turn of the event loop.
  await new Promise((done) => setImmediate(done));
}
group.close();
sockets.close();
