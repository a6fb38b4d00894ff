// Pods as Linux namespaces, by unshare and nsenter: a "node" with a bridge, a network namespace for each pod, and for each container
// a mount and a PID namespace. As root directly; else in a user namespace (which needs newuidmap: tcpdump changes its groups,
// and the kernel allows that only where more than one id is mapped).
//
//   this process ──pipe── node (PID 1 of its PID namespace: `cat` on the pipe)
//                          └ pod holder (network, UTS, IPC) ── veth on the node's bridge
//                             └ container (PID 1 of its own PID namespace, own /tmp, /dev, /sys, /proc)
//
// When this process dies in whatever way, the pipe ends, the node's `cat` ends, and the kernel kills all that is in its PID namespace.

import { spawn, spawnSync, type ChildProcess, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { constants } from 'node:os'
import type { Readable } from 'node:stream'

/** Where the node keeps the termination logs, on a tmpfs that only its own mount namespace shows. */
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

// The tools need a PATH of their own until here: that of the container may lead nowhere.
const becomeCommand = `
privileges=$SANDBOX_PRIVILEGES
unset SANDBOX_LOG SANDBOX_NODE SANDBOX_HIDE SANDBOX_READ_ONLY SANDBOX_DIRECTORY SANDBOX_PRIVILEGES SANDBOX_PATH
exec 3>&-
exec "$setpriv" $privileges -- "$@"
`

// Mounts what a container runtime mounts, tells its own process id (as the host numbers it) on descriptor 3, and becomes the command.
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

// An exec'd process: the same check that a runtime makes, then the command.
const execScript = `
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
  /** PID 1 of the container, as the host numbers it. */
  pid: number
  stdout: Readable
  stderr: Readable
  /** Exit code (128 + n for a signal) once it ended, and what is in its termination log. */
  ended: Promise<{ exitCode: number; message: string }>
  signal(name: 'SIGTERM' | 'SIGKILL'): void
  exec(argv: string[]): ExecProcess
}

export interface ExecProcess {
  child: ChildProcessWithoutNullStreams
  /** Resolves when it ended and its streams are drained; `missing` when there is no such command. */
  ended: Promise<{ exitCode: number } | { missing: true }>
}

export interface Node {
  mode: Mode
  /** With an address of its own choice in 10.88.0.0/16, or the next free one. */
  addPod(name: string, hostNetwork: boolean, address?: string): Promise<PodNamespace & { ip: string }>
  startContainer(pod: PodNamespace, options: ContainerOptions): Promise<RunningContainer>
  stop(): Promise<void>
}

const rootless = (): boolean => process.getuid?.() !== 0
// The sandbox's programs live in sbin too, which is not in everybody's PATH.
const toolPath = `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin`
const toolEnv = { PATH: toolPath }

function enter(mode: Mode, pid: number, kinds: string[]): string[] {
  const user = mode === 'rootless' ? ['--user'] : []
  return ['nsenter', '--target', String(pid), ...user, ...kinds.map((kind) => `--${kind}`), '--']
}

const start = (argv: string[], env: NodeJS.ProcessEnv, extra: 'pipe'[] = []): ChildProcess =>
  spawn(argv[0] as string, argv.slice(1), { env, stdio: ['pipe', 'pipe', 'pipe', ...extra], detached: false })

function exitCode(code: number | null, signal: NodeJS.Signals | null): number {
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal])
}

/** The first line on a stream that matches, or an error with what came instead. */
function line(child: ChildProcess, stream: Readable, pattern: RegExp, what: string): Promise<RegExpMatchArray> {
  return new Promise((resolve, reject) => {
    let text = ''
    let errors = ''
    const timer = setTimeout(() => give(`${what}: no answer within 20 s`), 20_000)
    const give = (problem: string): void => {
      clearTimeout(timer)
      child.kill('SIGKILL')
      reject(new Error(`${problem}\n${errors}${text}`.trim()))
    }
    const read = (chunk: Buffer): void => {
      text += chunk.toString()
      const found = pattern.exec(text)
      if (found === null) return
      clearTimeout(timer)
      stream.off('data', read)
      child.stderr?.off('data', readErrors)
      resolve(found)
    }
    const readErrors = (chunk: Buffer): void => void (errors += chunk.toString())
    stream.on('data', read)
    child.stderr?.on('data', readErrors)
    child.once('error', (error) => give(`${what}: ${error.message}`))
    child.once('close', (code, signal) => give(`${what}: ended with ${signal ?? code}`))
  })
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
      ended: finished.then(async (exitCode) => {
        over = true
        // unshare 2.38 makes exit code 1 of a child that was killed; nobody else can kill PID 1 of the container.
        return { exitCode: killed ? 137 : exitCode, message: await readLog() }
      }),
      signal(name) {
        if (over) return
        try {
          process.kill(pid, name)
          killed ||= name === 'SIGKILL'
        } catch {
          // It ended by itself in between.
        }
      },
      exec(argv) {
        const child = start(
          [...enter(mode, pid, ['mount', 'net', 'uts', 'ipc', 'pid']), 'sh', '-c', execScript, 'sh', ...argv],
          env,
          ['pipe'],
        )
        let marker = ''
        ;(child.stdio[3] as Readable).on('data', (chunk: Buffer) => (marker += chunk.toString()))
        const ended = new Promise<{ exitCode: number } | { missing: true }>((resolve) => {
          child.once('error', () => resolve({ exitCode: 126 }))
          child.once('close', (code, signal) =>
            resolve(marker.includes('missing') ? { missing: true } : { exitCode: exitCode(code, signal) }),
          )
        })
        return { child: child as ChildProcessWithoutNullStreams, ended }
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

export type SandboxSupport = { supported: true; mode: Mode } | { supported: false; reason: string }

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

/** Whether pods can run here, and as whom; else why not, and what would help. Found out by doing it once. */
export const sandboxSupport = (): Promise<SandboxSupport> => (known ??= probe())

async function probe(): Promise<SandboxSupport> {
  if (process.platform !== 'linux')
    return { supported: false, reason: `pods need Linux namespaces; this is ${process.platform}` }
  const tools: Record<string, string> = {
    unshare: 'util-linux',
    nsenter: 'util-linux',
    setpriv: 'util-linux',
    ip: 'iproute2',
    tcpdump: 'tcpdump',
  }
  if (rootless()) Object.assign(tools, { newuidmap: 'uidmap', newgidmap: 'uidmap' })
  const missing = Object.keys(tools).filter(
    (tool) => spawnSync('sh', ['-c', 'command -v "$1"', 'sh', tool], { env: toolEnv }).status !== 0,
  )
  if (missing.length > 0) {
    const packages = [...new Set(missing.map((tool) => tools[tool]))].join(', ')
    return {
      supported: false,
      reason: `${missing.join(', ')} not found: install ${packages}${rootless() ? ', or run as root' : ''}`,
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
    const { exitCode } = await container.ended
    if (exitCode !== 0 || !output.includes('listening on'))
      throw new Error(`tcpdump cannot capture in a namespace: ${output}`)
    return { supported: true, mode: node.mode }
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    const hint = rootless()
      ? 'user namespaces may be forbidden (Ubuntu 24.04: sysctl kernel.apparmor_restrict_unprivileged_userns=0), or /etc/subuid has no line for you; or run as root'
      : 'the machine may itself be a container without the right to make namespaces'
    return { supported: false, reason: `${text.replaceAll('\n', ' ')} (${hint})` }
  } finally {
    await node?.stop()
  }
}
