import type { Socket } from 'node:net'
import type { Writable } from 'node:stream'
import type { ServerChannel } from 'ssh2'

/** A node that lies: before the SSH login, or in what its commands answer. */
export interface HostileSshd {
  /** what it does, for the title of a test */
  readonly does: string
  /** in place of an SSH server */
  readonly serve?: (socket: Socket) => void
  /** in place of the process of each command; without it the request is not answered */
  readonly exec?: (channel: ServerChannel) => void
  /** the request for a command is refused */
  readonly refuses?: boolean
}

function flood(target: Writable, data: Buffer): void {
  target.on('error', () => undefined)
  const step = (): void => {
    while (!target.destroyed && target.writable) {
      if (target.write(data)) continue
      target.once('drain', step)
      return
    }
  }
  step()
}

function forever(target: Writable, everyMs: number, act: () => void): void {
  target.on('error', () => undefined)
  const timer = setInterval(() => (target.destroyed || !target.writable ? clearInterval(timer) : act()), everyMs)
  timer.unref()
}

/** In place of an SSH server. */
const servers: readonly (readonly [string, (socket: Socket) => void])[] = [
  ['accepts the connection and says nothing', () => undefined],
  ['closes the connection at once', (socket) => socket.destroy()],
  [
    'sends one byte of its banner in a second',
    (socket) => {
      socket.write('SSH-2.0-')
      forever(socket, 1_000, () => socket.write('x'))
    },
  ],
  [
    'sends lines before its banner without end',
    (socket) => flood(socket, Buffer.from('::error::hello\r\n'.repeat(1_000))),
  ],
  ['sends a banner without end', (socket) => flood(socket, Buffer.alloc(65_536, 0x78))],
  ['speaks HTTP', (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
  [
    'announces a packet of 4 GB',
    (socket) => socket.write(Buffer.concat([Buffer.from('SSH-2.0-x\r\n'), Buffer.alloc(64, 0xff)])),
  ],
]

/** After the login, in place of the process of each command. */
const processes: readonly (readonly [string, (channel: ServerChannel) => void])[] = [
  ['closes each command without an exit code', (channel) => channel.close()],
  ['sends output without end', (channel) => flood(channel, Buffer.alloc(65_536, 0x78))],
  ['sends messages without end', (channel) => flood(channel.stderr, Buffer.alloc(65_536, 0x0a))],
  ['sends one byte of output in a second', (channel) => forever(channel, 1_000, () => channel.write('x'))],
]

export const hostileSshds: readonly HostileSshd[] = [
  ...servers.map(([does, serve]) => ({ does, serve })),
  { does: 'never starts a command' },
  { does: 'refuses each command', refuses: true },
  ...processes.map(([does, exec]) => ({ does, exec })),
]

const commands = '::error::x ##[set-output name=x;]y \u001b[2J \u202e'

/** The answers of a node to the commands that read its facts. */
export const hostileFacts: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['1 MB of one line', 'x'.repeat(1_000_000)],
  ['a root that is none', 'fact root maybe\nfact clock 1\n'],
  ['a clock of 400 digits', `fact root sudo\nfact clock ${'9'.repeat(400)}\n`],
  ['a negative clock', 'fact root sudo\nfact clock -1\n'],
  [
    'commands in every fact',
    `fact root sudo\nfact clock 1\nfact ID=${commands}\nfact tcpdump /bin/${commands} ${commands}\n`,
  ],
  ['100,000 toolboxes', `fact root already\nfact clock 1\n${'fact tree x\n'.repeat(100_000)}`],
  ['a disk of 10^400 bytes', `fact root sudo\nfact clock 1\nfact spool ${'9'.repeat(400)} 1 1 ext4 /var/tmp\n`],
  ['a disk with a negative size', 'fact root sudo\nfact clock 1\nfact spool -4096 10 10 ext4 /var/tmp\n'],
  ['a path with line breaks', 'fact root sudo\nfact clock 1\nfact toolbox /a\r/b\u2028/c\n'],
]

/** The answers of a node to the question for the state of a recorder. */
export const hostileStates: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['an unknown word', 'state winning\n'],
  ['a word of 1 MB', `state ${'x'.repeat(1_000_000)}\n`],
  ['a message of 1 MB', `state ended\n${'x'.repeat(1_000_000)}`],
  ['commands', `state ended\n${commands}\n::error::x\n`],
  ['many states', 'state running\nstate ended\nstate gone\n'.repeat(10_000)],
]
