import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { recorderPayload } from '../../../../src/capture/payload.ts'
import { spoolDirsOf, type CapturePlan } from '../../../../src/capture/plan.ts'
import { recorderContainer } from '../../../../src/capture/recorder-container.ts'
import { deliverScript } from '../../../../src/capture/scripts/scripts.ts'
import { expand } from '../../../sandbox/cluster/kubelet.ts'
import { podsLack, sandboxSupport } from '../../../sandbox/cluster/start.ts'
import { until } from '../../../support/until.ts'
import { plan } from '../../../support/target.ts'
import { firstLack, needsProgram, type Lack } from '../../../support/needs.ts'

/**
 * Runs the recorder as a container runtime does: as PID 1, with its own network, /dev and /tmp, its parameters as Kubernetes passes them, and
 * followers that enter as exec does. The end of its PID namespace kills all its processes, so none remain after the test.
 */
export interface Rig {
  /** the content of the container's log */
  log(): string
  /** the termination message in the pod's status */
  terminationMessage(): string
  /** the files of /tmp and /dev/shm, without folders */
  files(): string[]
  /** a follower from `offset` on, as exec starts it */
  follow(offset: number): FollowerProcess
  /** `count` datagrams of `size` bytes over the loopback of the rig, to port 9999 */
  send(count: number, size: number): Promise<void>
  /** runs a shell line in the recorder's namespaces */
  run(line: string): string
  /** sends PID 1 a signal, as a kubelet does */
  signal(name: NodeJS.Signals): void
  /** the exit code of PID 1 */
  readonly ended: Promise<number>
  isOver(): boolean
}

export interface FollowerProcess {
  stdout(): Buffer
  lines(): string[]
  say(line: string): void
  /** breaks the connection: closes its pipes, and does not kill the process */
  cut(): void
  readonly ended: Promise<void>
}

export interface Shell {
  readonly name: string
  readonly words: readonly string[]
  /** the tools that it finds */
  readonly tools: 'system' | 'busybox'
}

/** Each shell that an image can have as sh; busybox with only its applets and tcpdump. */
export const allShells: readonly Shell[] = [
  { name: 'dash', words: ['dash'], tools: 'system' as const },
  { name: 'bash', words: ['bash', '--posix', '--norc'], tools: 'system' as const },
  { name: 'busybox', words: ['busybox', 'sh'], tools: 'busybox' as const },
  { name: 'mksh', words: ['mksh'], tools: 'system' as const },
]

/** Whether this machine lacks a shell. */
export const shellLack = ({ name }: Shell): Lack => needsProgram(name)

const firstShell = allShells.find((shell) => shellLack(shell) === undefined)
/** The shell of the tests that run in one shell. */
export const sh: Shell = firstShell ?? { name: 'sh', words: ['sh'], tools: 'system' }

/** A requirement of the rig that this machine lacks. */
export const rigLack: Lack = firstLack(firstShell === undefined ? 'dash' : undefined, await podsLack())

/** In the rig's mount namespace: mounts a separate /proc, /dev, /tmp and /dev/shm, then runs the command. $1 is the folder of the rig. */
const setUp = `
read -r pid rest </proc/self/stat
exec 3>&1 2>&1
cd "$1" && shift
mount -t proc proc /proc && mount -t sysfs sysfs /sys && mount -t tmpfs -o mode=755 tmpfs dev || exit 99
for file in null zero urandom; do : >dev/$file && mount --bind /dev/$file dev/$file || exit 99; done
: >dev/termination-log && mount --bind log dev/termination-log || exit 99
mkdir dev/shm dev/bin && mount --bind shm dev/shm || exit 99
if [ -n "$RIG_TOOLS" ]; then
  for tool in $RIG_TOOLS; do ln -s "$(command -v busybox)" dev/bin/$tool; done
  ln -s "$(command -v tcpdump)" "$(command -v busybox)" dev/bin/
else
  ln -s /usr/local/bin/* /usr/sbin/* /usr/bin/* dev/bin/ 2>/dev/null
fi
mount --rbind dev /dev && mount --bind tmp /tmp && ip link set lo up || exit 99
case " $RIG_BREAK " in *' tmp '*) mount -t tmpfs -o ro tmpfs /tmp || exit 99 ;; esac
case " $RIG_BREAK " in *' room '*) mount -t tmpfs -o size=40m tmpfs /tmp || exit 99 ;; esac
case " $RIG_BREAK " in *' shm '*) mount -t tmpfs -o ro tmpfs /dev/shm || exit 99 ;; esac
case " $RIG_BREAK " in *' tcpdump '*) rm /dev/bin/tcpdump || exit 99 ;; esac
case " $RIG_BREAK " in *' sll2 '*)
  mv /dev/bin/tcpdump /dev/bin/tcpdump-now && printf '%s\\n' '#!/bin/sh' \\
    'case "$*" in *SLL2*) echo "tcpdump: invalid data link type LINUX_SLL2" >&2; exit 1 ;; esac' \\
    'exec tcpdump-now "$@"' >/dev/bin/tcpdump && chmod +x /dev/bin/tcpdump || exit 99
  ;;
esac
cd /
echo "ready $pid" >&3
exec 3>&-
PATH=$RIG_PATH
export PATH
unset RIG_TOOLS RIG_BREAK RIG_PATH
exec "$@"
`

const busyboxTools =
  'sh cat chmod cp cut date dd grep kill ln ls mkdir mkfifo mv printf rm sed seq sha256sum sleep stat tail touch tr test true wc'
const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** What the rig lacks: /tmp, more than 40 MiB in /tmp, /dev/shm, tcpdump, its link type LINUX_SLL2, or the permission to open a packet socket. */
export type Breakage = 'tmp' | 'room' | 'shm' | 'tcpdump' | 'sll2' | 'net-raw'

/** Starts a recorder, passes it to `body`, and deletes everything afterwards. */
export async function withRecorder(
  shell: Shell,
  changes: Partial<CapturePlan> & { deadline?: number; broken?: readonly Breakage[]; delivers?: boolean },
  body: (rig: Rig) => Promise<void>,
): Promise<void> {
  const support = await sandboxSupport()
  const user = support.supported && support.mode === 'rootless'
  const folder = mkdtempSync(join(tmpdir(), 'recorder-'))
  for (const name of ['dev', 'tmp', 'shm']) mkdirSync(join(folder, name))
  writeFileSync(join(folder, 'log'), '')

  const { deadline = Math.ceil(Date.now() / 1000) + 120, broken = [], delivers = true, ...rest } = changes
  const capture = 'packet-capture-x'
  const parameters = plan({ interface: 'lo', filter: 'udp port 9999', ...rest })
  const [, ...recorderWords] = (recorderContainer(capture, parameters, deadline)['command'] as string[]).map((word) =>
    expand(word, {}),
  )
  const path =
    shell.tools === 'busybox' || broken.includes('tcpdump') || broken.includes('sll2') ? '/dev/bin' : systemPath

  const withoutRaw = broken.includes('net-raw')
    ? ['setpriv', '--bounding-set=-net_raw', '--inh-caps=-net_raw', '--']
    : []
  // Uses the PATH of the system, because the PATH of the rig can be invalid.
  const command = [...withoutRaw, ...shell.words].map((word, i) =>
    i === 0 || word === shell.words[0] ? absolute(word) : word,
  )
  const process = spawn(
    'unshare',
    [
      ...(user ? ['--user', '--map-root-user', '--map-auto'] : []),
      ...['--mount', '--net', '--pid', '--fork', '--kill-child', '--propagation', 'private', '--'],
      ...['sh', '-c', setUp, 'sh', folder, ...command, ...recorderWords],
    ],
    {
      env: {
        PATH: systemPath,
        RIG_TOOLS: shell.tools === 'busybox' ? busyboxTools : '',
        RIG_BREAK: broken.join(' '),
        RIG_PATH: path,
      },
    },
  )
  let log = ''
  let over = false
  process.stdin.end()
  process.stdout.on('data', (chunk: Buffer) => (log += chunk.toString('latin1')))
  process.stderr.on('data', (chunk: Buffer) => (log += chunk.toString('latin1')))
  const ended = new Promise<number>((resolve) => {
    process.on('close', (code) => {
      over = true
      resolve(code ?? -1)
    })
  })
  const children: ChildProcessWithoutNullStreams[] = []

  try {
    const pid = await until('the rig is ready', () => {
      const ready = /^ready (\d+)$/m.exec(log)?.[1]
      if (ready === undefined && over) throw new Error(`the rig did not start: ${log}`)
      return ready
    })
    const enter = (...argv: string[]): ChildProcessWithoutNullStreams => {
      const kinds = [...(user ? ['--user'] : []), '--mount', '--net', '--pid']
      const child = spawn('nsenter', ['--target', pid, ...kinds, '--', ...argv], {
        env: { PATH: `${path}:${systemPath}` },
      })
      child.stdin.on('error', () => undefined)
      children.push(child)
      return child
    }
    if (delivers) {
      const delivering = enter(
        absolute(shell.words[0] ?? ''),
        ...[...shell.words.slice(1), '-c', deliverScript, 'deliver', ...spoolDirsOf(capture)],
      )
      delivering.stderr.resume()
      delivering.stdin.write(`${recorderPayload(capture, parameters, deadline).text}\n\n`)
    }
    await body({
      log: () => log.replace(/^ready \d+\n/, ''),
      terminationMessage: () => readFileSync(join(folder, 'log'), 'utf8'),
      files: () =>
        ['tmp', 'shm'].flatMap((name) =>
          readdirSync(join(folder, name), { recursive: true, withFileTypes: true })
            .filter((entry) => entry.isFile())
            .map((entry) => entry.name),
        ),
      follow: (offset) =>
        follower(
          enter(
            absolute(shell.words[0] ?? ''),
            ...shell.words.slice(1),
            '-c',
            `exec ${shell.words.join(' ')} $(ls -d /tmp/*/follow /dev/shm/*/follow 2>/dev/null) ${String(offset)}`,
          ),
        ),
      send: async (count, size) => {
        const child = enter(globalThis.process.execPath, '-e', sender, String(count), String(size))
        child.stderr.resume()
        const code = await new Promise((resolve) => child.on('close', resolve))
        if (code !== 0) throw new Error(`the sender ended with ${String(code)}`)
      },
      run: (line) => {
        const kinds = [...(user ? ['--user'] : []), '--mount', '--net', '--pid']
        return spawnSync('nsenter', ['--target', pid, ...kinds, '--', 'sh', '-c', line], { encoding: 'utf8' }).stdout
      },
      signal: (name) => globalThis.process.kill(Number(pid), name),
      ended,
      isOver: () => over,
    })
  } finally {
    for (const child of children) child.kill('SIGKILL')
    process.kill('SIGKILL') // with --kill-child, PID 1 of the rig ends too, and with it all processes in its namespace
    await ended
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Datagrams in small bursts, so that none is lost before the kernel's ring buffer. */
const sender = `
const [count, size] = process.argv.slice(1).map(Number)
const socket = require('node:dgram').createSocket('udp4')
const payload = Buffer.alloc(size, 'SECRET-PAYLOAD.')
let sent = 0
const burst = () => {
  const until = Math.min(sent + 50, count)
  let open = until - sent
  if (open <= 0) return socket.close()
  for (; sent < until; sent += 1) socket.send(payload, 9999, '127.0.0.1', () => { if (--open === 0) setTimeout(burst, 2) })
}
burst()
`

function absolute(tool: string): string {
  const found = systemPath
    .split(':')
    .map((folder) => join(folder, tool))
    .find(existsSync)
  if (found === undefined) throw new Error(`there is no ${tool}`)
  return found
}

function follower(child: ChildProcessWithoutNullStreams): FollowerProcess {
  const chunks: Buffer[] = []
  let words = ''
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => (words += chunk.toString()))
  return {
    stdout: () => Buffer.concat(chunks),
    lines: () => words.split('\n').slice(0, -1),
    say: (line) => void child.stdin.write(`${line}\n`),
    cut: () => {
      child.stdin.destroy()
      child.stdout.destroy()
      child.stderr.destroy()
    },
    ended: new Promise((resolve) => child.on('exit', () => resolve())),
  }
}
