// Pods as Linux namespaces, by unshare and nsenter: a "node" with a bridge, a network namespace for each pod, and for each container
// a mount and a PID namespace. As root directly; else in a user namespace (which needs newuidmap: tcpdump changes its groups,
// and the kernel allows that only where more than one id is mapped).
//
//   this process ──pipe── node (PID 1 of its PID namespace: `cat` on the pipe)
//                          └ pod holder (network, UTS, IPC) ── veth on the node's bridge
//                             └ container (PID 1 of its own PID namespace, own /tmp, /dev, /sys, /proc)
//
// When this process ends for any reason, the pipe closes, the node's `cat` ends, and the kernel kills all processes in its PID namespace.

import { spawn, type ChildProcess, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { constants, userInfo } from 'node:os'
import { delimiter, join } from 'node:path'
import type { Readable } from 'node:stream'
import type { Lack } from '../../support/needs.ts'
import { isExecutable } from '../../support/processes.ts'

/** Where the node keeps the termination logs, on a tmpfs that is visible only in its mount namespace. */
const nodeRun = '/run/sandbox'

const nodeScript = `
set -e
read -r pid rest </proc/self/stat # the host's /proc, so the host's number
mount -t tmpfs tmpfs /run
mkdir ${nodeRun}
ip link set lo up
ip link add cni0 type bridge
ip addr add 10.88.0.1/16 dev cni0
ip link set cni0 up
echo "ready $pid"
exec cat >/dev/null
`

// $1: the pod's name, $2: its address. "go" comes when the veth was moved in.
const podScript = `
read -r pid rest </proc/self/stat
hostname "$1" 2>/dev/null || true
echo "pid $pid"
read -r go
if [ -n "$2" ]; then
  set -e
  ip link set lo up
  ip addr add "$2/16" dev eth0
  ip link set eth0 up
  ip route add default via 10.88.0.1
fi
echo "ready $pid"
exec cat >/dev/null
`

// The tools need a separate PATH up to this point: the container's PATH may be invalid.
const becomeCommand = `
privileges=$SANDBOX_PRIVILEGES
unset SANDBOX_LOG SANDBOX_NODE SANDBOX_HIDE SANDBOX_READ_ONLY SANDBOX_DIRECTORY SANDBOX_PRIVILEGES SANDBOX_PATH
exec 3>&-
exec "$setpriv" $privileges -- "$@"
`

// Mounts what a container runtime mounts, writes its process id (in the host's PID namespace) to descriptor 3, and executes the command.
const containerScript = `
read -r pid rest </proc/self/stat
fail() { echo "fail $1" >&3; exit 128; }
{
  mkdir -p ${nodeRun}/dev/shm ${nodeRun}/bin && mount -t tmpfs -o mode=755 tmpfs ${nodeRun}/dev && mkdir ${nodeRun}/dev/shm &&
  for device in null zero full random urandom tty; do
    : >${nodeRun}/dev/$device && mount --bind /dev/$device ${nodeRun}/dev/$device || fail "no /dev/$device"
  done
  ln -s /proc/self/fd ${nodeRun}/dev/fd
  for number in 0:stdin 1:stdout 2:stderr; do ln -s "/proc/self/fd/\${number%%:*}" "${nodeRun}/dev/\${number#*:}"; done
  : >${nodeRun}/dev/termination-log
  mount --bind "$SANDBOX_LOG" ${nodeRun}/dev/termination-log || fail "no termination log"
  if [ -n "$SANDBOX_NODE" ]; then : >${nodeRun}/bin/node; mount --bind "$SANDBOX_NODE" ${nodeRun}/bin/node; fi
  mount --rbind ${nodeRun}/dev /dev || fail "cannot mount /dev"
  if [ -n "$SANDBOX_HIDE" ]; then
    ln -s /usr/local/bin/* /usr/sbin/* /usr/bin/* ${nodeRun}/bin/ 2>&3; rm -f ${nodeRun}/bin/tcpdump
  fi
  # The host's file system is the image, so it must not be written to. In place: over a second mount stacked on /, the container
  # would look up names below it while an exec'd process, which setns puts on the topmost one, would see the host's /proc and /tmp.
  mount -o remount,bind,ro / || fail "cannot make / read-only"
  mount -t tmpfs -o mode=1777 tmpfs /tmp || fail "cannot mount /tmp"
  [ -z "$SANDBOX_READ_ONLY" ] || mount -o remount,ro /tmp
  mount -t sysfs sysfs /sys || fail "cannot mount /sys"
  mount -t proc proc /proc || fail "cannot mount /proc"
} >/dev/null 2>&1
cd "$SANDBOX_DIRECTORY" 2>/dev/null || fail "cannot change to $SANDBOX_DIRECTORY"
setpriv=$(command -v setpriv)
PATH=$SANDBOX_PATH
command -v -- "$1" >/dev/null 2>&1 || fail "exec: \\"$1\\": executable file not found in \\$PATH"
echo "ready $pid" >&3
${becomeCommand}`

// Enters a container for an exec. What nsenter says is not the output of the command: a container runtime reports a container that has
// ended as the status of the exec. So nsenter has no stderr; it comes back as descriptor 4 in the container.
const enterForExec = ['sh', '-c', 'exec 4>&2 2>/dev/null; exec "$@"', 'sh']

// An exec'd process: the same check as in a container runtime, then the command.
const execScript = `
exec 2>&4 4>&-
echo entered >&3
cd "$SANDBOX_DIRECTORY"
setpriv=$(command -v setpriv)
PATH=$SANDBOX_PATH
command -v -- "$1" >/dev/null 2>&1 || { echo missing >&3; exit 127; }
${becomeCommand}`

/** containerd's default set. */
const defaultCapabilities =
  'chown dac_override fsetid fowner mknod net_raw setgid setuid setfcap setpcap net_bind_service sys_chroot kill audit_write'.split(
    ' ',
  )

export interface Privileges {
  user: number
  add: string[]
  drop: string[]
  privileged: boolean
  noNewPrivileges: boolean
}

function setprivArguments({ user, add, drop, privileged, noNewPrivileges }: Privileges): string {
  const words: string[] = []
  if (!privileged) {
    const kept = new Set(
      drop.includes('ALL') ? [] : defaultCapabilities.filter((name) => !drop.includes(name.toUpperCase())),
    )
    for (const name of add) kept.add(name.toLowerCase())
    words.push(`--bounding-set=${['-all', ...[...kept].map((name) => `+${name}`)].join(',')}`, '--inh-caps=-all')
  }
  if (user !== 0) words.push(`--reuid=${user}`, `--regid=${user}`, '--clear-groups')
  if (noNewPrivileges) words.push('--no-new-privs')
  return words.join(' ')
}

export type Mode = 'root' | 'rootless'

export interface PodNamespace {
  pid: number
  remove(): void
}

export interface ContainerOptions {
  /** Unique on the node: names its termination log. */
  id: string
  argv: string[]
  env: Record<string, string>
  directory: string
  privileges: Privileges
  hideTcpdump: boolean
  readOnly: boolean
}

export interface RunningContainer {
  /** PID 1 of the container, in the host's PID namespace. */
  pid: number
  stdout: Readable
  stderr: Readable
  /** Exit code (128 + n for a signal) after it ended, and the content of its termination log. */
  ended: Promise<{ exitCode: number; message: string }>
  signal(name: 'SIGTERM' | 'SIGKILL'): void
  exec(argv: string[]): ExecProcess
}

export interface ExecProcess {
  child: ChildProcessWithoutNullStreams
  /** Resolves when it ended and its streams are drained. */
  ended: Promise<ExecEnd>
}

/** `missing`: there is no such command. `stopped`: the container had ended before the command started. */
export type ExecEnd = { exitCode: number } | { missing: true } | { stopped: true }

export interface Node {
  mode: Mode
  /** With the given address in 10.88.0.0/16, or the next free one. */
  addPod(name: string, hostNetwork: boolean, address?: string): Promise<PodNamespace & { ip: string }>
  startContainer(pod: PodNamespace, options: ContainerOptions): Promise<RunningContainer>
  stop(): Promise<void>
}

const rootless = (): boolean => process.getuid?.() !== 0
// Some programs are in sbin, which is not in the PATH of every user.
const toolPath = `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin`
const toolEnv = { PATH: toolPath }

function enter(mode: Mode, pid: number, kinds: string[]): string[] {
  const user = mode === 'rootless' ? ['--user'] : []
  return ['nsenter', '--target', String(pid), ...user, ...kinds.map((kind) => `--${kind}`), '--']
}

/** In a session of its own: Ctrl-C reaches each process of the terminal's process group, and must not reach the pods. */
const start = (argv: string[], env: NodeJS.ProcessEnv, extra: 'pipe'[] = []): ChildProcess =>
  spawn(argv[0] as string, argv.slice(1), { env, stdio: ['pipe', 'pipe', 'pipe', ...extra], detached: true })

function exitCode(code: number | null, signal: NodeJS.Signals | null): number {
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal])
}

/** The first matching line of a stream, or an error with the received output. */
function line(child: ChildProcess, stream: Readable, pattern: RegExp, what: string): Promise<RegExpMatchArray> {
  return new Promise((resolve, reject) => {
    let text = ''
    let errors = ''
    let settled = false
    const timer = setTimeout(() => give(`${what}: no answer within 20 s`), 20_000)
    const give = (problem: string): void => {
      if (settled) return
      settled = true
      clearTimeout(timer)
      killGroup(child)
      reject(new Error(`${problem}\n${errors}${text}`.trim()))
    }
    const read = (chunk: Buffer): void => {
      text += chunk.toString()
      const found = pattern.exec(text)
      if (found === null) return
      settled = true
      clearTimeout(timer)
      stream.off('data', read)
      child.stderr?.off('data', readErrors)
      resolve(found)
    }
    const readErrors = (chunk: Buffer): void => void (errors += chunk.toString())
    stream.on('data', read)
    child.stderr?.on('data', readErrors)
    child.once('error', (error) => give(`${what}: ${error.message}`))
    const ended = (code: number | null, signal: NodeJS.Signals | null): void =>
      give(`${what}: ended with ${signal ?? code}`)
    child.once('close', ended)
    // Where the kernel forbids user namespaces, `unshare --map-auto` (2.38) leaves a child that holds the streams open.
    child.once('exit', (code, signal) => setTimeout(() => ended(code, signal), 500).unref())
  })
}

/** Ends a process of `start` and its descendants, which are in its process group. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // All of them have ended.
  }
}

export async function startNode(): Promise<Node> {
  const mode: Mode = rootless() ? 'rootless' : 'root'
  const user = mode === 'rootless' ? ['--user', '--map-root-user', '--map-auto'] : []
  const node = start(
    [
      'unshare',
      ...user,
      '--mount',
      '--net',
      '--pid',
      '--fork',
      '--kill-child',
      '--propagation',
      'private',
      '--',
      'sh',
      '-c',
      nodeScript,
    ],
    toolEnv,
  )
  const nodePid = Number((await line(node, node.stdout as Readable, /ready (\d+)/, 'the sandbox node'))[1])
  const ended = new Promise<void>((resolve) => node.once('close', () => resolve()))
  node.stdout?.resume()
  node.stderr?.resume()
  let pods = 0

  async function run(argv: string[], what: string, input?: string): Promise<string> {
    const child = start(argv, toolEnv)
    let output = ''
    let errors = ''
    child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()))
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input)
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`${what}: ${errors.trim()}`))))
    })
    return output
  }

  async function addPod(name: string, hostNetwork: boolean, address?: string): Promise<PodNamespace & { ip: string }> {
    pods += 1
    const number = pods + 1
    const ip = hostNetwork ? '10.88.0.1' : (address ?? `10.88.${1 + (number >> 8)}.${number & 255}`)
    const holder = start(
      [
        ...enter(mode, nodePid, ['mount', 'net', 'pid']),
        ...[
          'unshare',
          ...(hostNetwork ? [] : ['--net']),
          '--uts',
          '--ipc',
          '--',
          'sh',
          '-c',
          podScript,
          'sh',
          name,
          hostNetwork ? '' : ip,
        ],
      ],
      toolEnv,
    )
    const output = holder.stdout as Readable
    const pid = Number((await line(holder, output, /pid (\d+)/, `pod ${name}`))[1])
    if (!hostNetwork) {
      const veth = `veth${number}`
      const add = `ip link add ${veth} type veth peer name eth0 netns ${pid} && ip link set ${veth} master cni0 up`
      await run([...enter(mode, nodePid, ['net']), 'sh', '-c', add], `the network of pod ${name}`)
    }
    const ready = line(holder, output, /ready (\d+)/, `pod ${name}`)
    holder.stdin?.write('go\n')
    await ready
    output.resume()
    holder.stderr?.resume()
    return { pid, ip, remove: () => void holder.stdin?.end() }
  }

  async function startContainer(pod: PodNamespace, options: ContainerOptions): Promise<RunningContainer> {
    const inNode = enter(mode, nodePid, ['mount'])
    const log = `${nodeRun}/log-${options.id}`
    await run([...inNode, 'sh', '-c', `: >${log} && chmod 666 ${log}`], 'the termination log')
    const privileges = setprivArguments(options.privileges)
    const paths = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
    const PATH = options.hideTcpdump ? `${nodeRun}/bin` : `${paths}:${nodeRun}/bin`
    const env = {
      ...options.env,
      ...toolEnv,
      SANDBOX_PATH: options.env['PATH'] ?? PATH,
      SANDBOX_DIRECTORY: options.directory,
      SANDBOX_PRIVILEGES: privileges,
    }
    const child = start(
      [
        ...enter(mode, pod.pid, ['mount', 'net', 'uts', 'ipc', 'pid']),
        ...[
          'unshare',
          '--mount',
          '--pid',
          '--fork',
          '--kill-child',
          '--propagation',
          'private',
          '--',
          'sh',
          '-c',
          containerScript,
          'sh',
        ],
        ...options.argv,
      ],
      {
        ...env,
        SANDBOX_LOG: log,
        SANDBOX_NODE: process.execPath,
        SANDBOX_HIDE: options.hideTcpdump ? '1' : '',
        SANDBOX_READ_ONLY: options.readOnly ? '1' : '',
      },
      ['pipe'],
    )
    child.stdin?.on('error', () => undefined)
    child.stdin?.end()
    const finished = new Promise<number>((resolve) =>
      child.once('close', (code, signal) => resolve(exitCode(code, signal))),
    )
    const answer = await line(child, child.stdio[3] as Readable, /ready (\d+)|fail (.*)/, 'the container')
    if (answer[2] !== undefined) throw new Error(answer[2])
    const pid = Number(answer[1])
    let over = false
    let killed = false
    const readLog = async (): Promise<string> =>
      run([...inNode, 'sh', '-c', `head -c 4096 ${log}; rm -f ${log}`], 'the termination log').catch(() => '')
    return {
      pid,
      stdout: child.stdout as Readable,
      stderr: child.stderr as Readable,
      ended: finished.then(async (code) => {
        over = true
        // unshare 2.38 makes exit code 1 of a child that was killed; no other process can kill PID 1 of the container.
        return { exitCode: killed ? 137 : code, message: await readLog() }
      }),
      signal(name) {
        if (over) return
        try {
          process.kill(pid, name)
          killed ||= name === 'SIGKILL'
        } catch {
          // It has already ended.
        }
      },
      exec(argv) {
        const started = start(
          [
            ...enterForExec,
            ...enter(mode, pid, ['mount', 'net', 'uts', 'ipc', 'pid']),
            'sh',
            '-c',
            execScript,
            'sh',
            ...argv,
          ],
          env,
          ['pipe'],
        )
        let marker = ''
        ;(started.stdio[3] as Readable).on('data', (chunk: Buffer) => (marker += chunk.toString()))
        const exited = new Promise<ExecEnd>((resolve) => {
          started.once('error', () => resolve({ exitCode: 126 }))
          started.once('close', (code, signal) => {
            if (!marker.includes('entered')) resolve({ stopped: true })
            else resolve(marker.includes('missing') ? { missing: true } : { exitCode: exitCode(code, signal) })
          })
        })
        return { child: started as ChildProcessWithoutNullStreams, ended: exited }
      },
    }
  }

  async function stop(): Promise<void> {
    node.stdin?.end()
    const timer = setTimeout(() => node.kill('SIGKILL'), 5000)
    await ended
    clearTimeout(timer)
  }

  return { mode, addPod, startContainer, stop }
}

export type SandboxSupport = { supported: true; mode: Mode } | { supported: false; reason: string; remedy: string }

const probeScript = `
tcpdump -i any -n -Z root -w /tmp/probe.pcap 2>/tmp/probe & tcpdump=$!
for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  if grep -q 'listening on' /tmp/probe || ! kill -0 $tcpdump; then break; fi
  sleep 0.2
done
kill $tcpdump
wait $tcpdump
cat /tmp/probe
ls /sys/class/net/eth0/ifindex
`

let known: Promise<SandboxSupport> | undefined

/** Whether pods can run on this machine, and as which user; otherwise the reason and the fix. Determined by one trial. */
export const sandboxSupport = (): Promise<SandboxSupport> => (known ??= probe())

/** A requirement of pods that this machine lacks. */
export async function podsLack(): Promise<Lack> {
  const support = await sandboxSupport()
  return support.supported ? undefined : `${support.reason}; ${support.remedy}`
}

/** The command that lets this user create namespaces, as far as the settings of this machine show it. */
function namespaceRemedy(): string {
  if (!rootless()) return 'start the container that this machine is with --privileged'
  const setting = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8').trim() : '')
  // Ubuntu 24.04, Debian before 11, and the kernel's own limit.
  if (setting('/proc/sys/kernel/apparmor_restrict_unprivileged_userns') === '1')
    return 'sudo sysctl --write kernel.apparmor_restrict_unprivileged_userns=0'
  if (setting('/proc/sys/kernel/unprivileged_userns_clone') === '0')
    return 'sudo sysctl --write kernel.unprivileged_userns_clone=1'
  if (setting('/proc/sys/user/max_user_namespaces') === '0') return 'sudo sysctl --write user.max_user_namespaces=10000'
  const { username, uid } = userInfo()
  const owners = ['/etc/subuid', '/etc/subgid'].map((path) => setting(path).split('\n'))
  const hasIds = owners.every((lines) =>
    lines.some((entry) => [username, String(uid)].includes(entry.split(':')[0] ?? '')),
  )
  if (!hasIds) return `sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${username}`
  return 'run it as root'
}

async function probe(): Promise<SandboxSupport> {
  if (process.platform !== 'linux')
    return {
      supported: false,
      reason: `pods need Linux namespaces, this is ${process.platform}`,
      remedy: 'run on Linux',
    }
  const tools: Record<string, string> = {
    unshare: 'util-linux',
    nsenter: 'util-linux',
    setpriv: 'util-linux',
    ip: 'iproute2',
    tcpdump: 'tcpdump',
  }
  if (rootless()) Object.assign(tools, { newuidmap: 'uidmap', newgidmap: 'uidmap' })
  const missing = Object.keys(tools).filter(
    (tool) => !toolPath.split(delimiter).some((folder) => isExecutable(join(folder, tool))),
  )
  if (missing.length > 0) {
    const packages = [...new Set(missing.map((tool) => tools[tool]))].join(' ')
    return {
      supported: false,
      reason: missing.join(', '),
      remedy: `apt-get install ${packages}${rootless() ? ', or run as root' : ''}`,
    }
  }
  let node: Node | undefined
  try {
    node = await startNode()
    const pod = await node.addPod('probe', false)
    const privileges = { user: 0, add: [], drop: [], privileged: false, noNewPrivileges: false }
    const argv = ['sh', '-c', probeScript]
    const container = await node.startContainer(pod, {
      id: 'probe',
      argv,
      env: {},
      directory: '/',
      privileges,
      hideTcpdump: false,
      readOnly: false,
    })
    let output = ''
    container.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    container.stderr.resume()
    const { exitCode: probed } = await container.ended
    if (probed !== 0 || !output.includes('listening on'))
      throw new Error(`tcpdump cannot capture in a namespace: ${output}`)
    return { supported: true, mode: node.mode }
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    return { supported: false, reason: text.replaceAll('\n', ' '), remedy: namespaceRemedy() }
  } finally {
    await node?.stop()
  }
}
