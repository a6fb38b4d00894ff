import type { Duplex } from 'node:stream'
import { environmentProxy, type Proxy } from '../proxy.ts'
import type { RemoteHandlers } from '../cluster/remote-command.ts'
import { Cancelled, ConfigurationError, messageOf } from '../errors.ts'
import { openIapTunnel, tunnelUrl, type TunnelTiming } from '../google/iap-tunnel.ts'
import type { GoogleTokenSource } from '../google/identity.ts'
import {
  describeInstance,
  describeName,
  missingPermissions,
  openGoogleApis,
  type GoogleApis,
  type InstanceName,
  type NodeInstance,
} from '../google/instance.ts'
import {
  generateLoginKey,
  grantLogin,
  planLogin,
  revokeLogin,
  type LoginKey,
  type LoginRecord,
} from '../google/login.ts'
import {
  asRoot as rootOf,
  chooseSpool,
  chooseTool,
  prepareToolbox,
  probeNode,
  toolboxCommand,
  type NodeFacts,
  type NodeTool,
} from '../google/node-tools.ts'
import { openSsh, type SshSession } from '../google/ssh.ts'
import { mostHold, recorderParameters, slack } from './container.ts'
import { foreignWords } from './foreign.ts'
import { filterWithoutSsh } from './node-filter.ts'
import { insideScript, outsideScript, recorderScript } from './scripts.ts'
import { longestMessage, type Place, type RecorderState } from './place.ts'
import type { CaptureRecord } from './record.ts'
import type { CaptureEvents, Recorder } from './recorder.ts'
import { awaitStart, NothingRecorded } from './start.ts'

/** Google's side of the way to a node. */
export interface NodeAccess {
  readonly google: GoogleTokenSource
  readonly apis: GoogleApis
  /** where the tunnel's relay is */
  readonly relay: string
}

/** @throws ConfigurationError where the environment names an address that cannot be used */
export function openNodeAccess(google: GoogleTokenSource, env: NodeJS.ProcessEnv): NodeAccess {
  return { google, apis: openGoogleApis(google, env), relay: tunnelUrl(env, google.universe) }
}

/** The proxy between the runner and the relay. */
export async function relayProxy(relay: string): Promise<Proxy | undefined> {
  return environmentProxy(relay.replace(/^ws/, 'http'))
}

/** A login that is planned: the key is made, and nobody knows it yet. */
export interface PlannedLogin {
  readonly instance: NodeInstance
  readonly key: LoginKey
  readonly login: LoginRecord
}

/** Looks at the node's instance and plans how to log in to it. @throws ConfigurationError */
export async function planNodeLogin({ google, apis }: NodeAccess, name: InstanceName): Promise<PlannedLogin> {
  const instance = await describeInstance(apis, name)
  if (instance.status !== '' && instance.status !== 'RUNNING') {
    throw new ConfigurationError(
      `node-method: ${describeName(name)} is not running (${instance.status}). Capture once its node is ready. Nothing was created.`,
    )
  }
  const key = generateLoginKey()
  return { instance, key, login: planLogin(instance, google.serviceAccount, key) }
}

const sshPort = 22
/** A key takes up to a minute to reach a node (the guest agent's, OS Login's caches). */
const keyPatience = 90_000
/** What the relay gets to reach the port of the instance before anything is made, ms: a firewall that drops says nothing. */
const tryPatience = 20_000
/** Beyond the recorder's longest life, ms: the key must serve the clean-up. */
const keyMargin = 10 * 60_000
/** Where a node may have room for a spool. Never /tmp, which is memory on COS; /var/tmp first, for there Ubuntu's AppArmor lets tcpdump write. */
const spoolRoots = ['/var/tmp', '/var/lib']

/**
 * A recorder that is a process on the node, reached by SSH through Identity-Aware Proxy. `planned`: the login of this very process; without it (in
 * the post step) another one is made when it is needed. `earlier`: whether another process may have put something on the node, and what of it stays.
 */
export function sshRecorder(
  access: NodeAccess,
  record: CaptureRecord,
  login: LoginRecord,
  planned?: PlannedLogin,
  earlier: { readonly mayBeThere: boolean; readonly stays?: string | undefined } = {
    mayBeThere: planned === undefined,
  },
): Recorder {
  const { container } = record
  const granted: LoginRecord[] = [login]
  let session: Promise<SshSession> | undefined
  let events: CaptureEvents | undefined
  /** whether there may be something of ours on the node: this process put it there, or an earlier one may have */
  let touched = earlier.mayBeThere
  let stays = earlier.stays
  const logIn = async (signal?: AbortSignal): Promise<SshSession> => {
    let plan = planned
    if (plan === undefined) {
      await revokeLogin(access.apis, login) // main's, of which nobody has the private half any more
      plan = await planNodeLogin(access, { project: login.project, zone: login.zone, name: login.instance })
      granted.push(plan.login)
    }
    const { instance, key } = plan
    const expires = new Date(Math.max(record.deadlineHere, Date.now()) + mostHold * 1000 + keyMargin)
    const { user } = await grantLogin(access.apis, instance, key, plan.login, expires)
    const { hostKeys } = instance
    return openSsh({
      connect: () => openTunnel(access, instance, (reason) => events?.waiting(`the tunnel is made again (${reason})`)),
      user,
      privateKey: key.privateKey,
      hostKeys,
      patience: keyPatience,
      waiting: (reason) => events?.waiting(reason),
      ...(signal ? { signal } : {}),
    })
  }
  const entered = (signal?: AbortSignal): Promise<SshSession> => {
    session ??= logIn(signal).catch((error: unknown) => {
      session = undefined
      throw error
    })
    return session
  }

  const place: Place = {
    // By its environment a follower whose client is gone, but not its connection, is found and ended with the recorder.
    open: async (command, handlers: RemoteHandlers) =>
      (await entered()).open(asRoot(['env', `CAPTURE_NAME=${container}`, ...command]), handlers),
    state: async () => {
      try {
        return readState(await runAsRoot(await entered(), ['sh', '-c', stateScript, 'sh', ...runFolders(container)]))
      } catch (error) {
        return { kind: 'unknown', reason: messageOf(error) }
      }
    },
    spools: runFolders(container).map((folder) => `${folder}/${container}`),
  }

  return {
    record,
    place,
    check: async () => {
      if (!planned) return []
      const { instance } = planned
      const missing = await missingPermissions(access.apis, instance, login.kind)
      // A grant with a condition on the port, as docs/terraform/node has it, cannot be asked for: there the relay decides.
      const tunnel = missing.filter(({ permission }) => permission.startsWith('iap.'))
      if (missing.length > tunnel.length) throw new ConfigurationError(permissionsProblem(access, missing))
      // It takes no key: IAP's answer, the firewall and sshd's are known before anything is made.
      const tried = await openTunnel(access, instance, () => undefined, { openTimeout: tryPatience })
      tried.destroy()
      return [
        ...tunnel.map(
          ({ permission, role }) =>
            `Tunnel: Google does not say that ${permission} is granted (${role}); the relay takes it all the same`,
        ),
        `Tunnel: the relay reaches port ${sshPort} of ${instance.name}`,
        `Instance: ${describeName(instance)}`,
        login.kind === 'os-login'
          ? `Login: OS Login, as ${login.account ?? '?'}, by a key of this run that expires`
          : 'Login: a key of this run in the metadata of the instance, which expires',
        instance.hostKeys.length > 0
          ? 'Host key: known from the guest attributes of the instance'
          : 'Host key: not published by the instance; the first one that is seen is held to',
        ...instance.remarks,
      ]
    },
    start: async (told, cancel) => {
      events = told
      const node = await entered(cancel)
      events.made(
        login.kind === 'os-login'
          ? `Imported an SSH key into the OS Login profile of ${login.account ?? '?'}`
          : `Added an SSH key to the metadata of ${describeName({ ...login, name: login.instance })}`,
      )
      const facts = await probeNode(node, spoolRoots)
      rootOf(facts, []) // or the words why not
      const choice = {
        facts,
        tool: chooseTool(facts, record.plan.toolboxImage),
        spool: chooseSpool(facts, record.plan.spoolLimit),
      }
      touched = true
      events.touching()
      const tool = await layOut(node, record, choice, events, (what) => {
        stays = what === undefined ? undefined : foreignWords(what, 1_000)
        told.touching(stays)
      })
      if (cancel.aborted)
        throw new Cancelled(
          'The run was cancelled before the recorder had started; the post step removes what is there.',
        )
      events.made(`Started the recorder ${container} on ${record.node}, with ${tool}`)
      if (node.pinned)
        events.caution(
          `node-method: nobody vouches for the host key of ${record.node} but the tunnel: ${node.hostKey} was taken on first use, and held to. Let the nodes publish theirs (enable-guest-attributes).`,
        )
      return awaitStart(place, record, events, cancel)
    },
    clear: async () => {
      const files = touched
        ? await entered().then(
            (node) => removeFiles(node, record),
            (error: unknown) => [filesStay(record, error)],
          )
        : []
      void session?.then(
        (node) => node.close(),
        () => undefined,
      )
      session = undefined
      const keys = await Promise.all(granted.map((one) => revokeLogin(access.apis, one)))
      return {
        remains: [
          ...(stays === undefined ? [] : [stays]),
          ...files,
          ...new Set(keys.flatMap(({ remains }) => remains)),
        ],
        unfinished: files.length > 0 || keys.some(({ gone }) => !gone),
      }
    },
  }
}

/** @throws TunnelError */
async function openTunnel(
  { google, relay }: NodeAccess,
  { project, zone, name, interface: networkInterface }: NodeInstance,
  reconnecting: (reason: string) => void,
  timing: Partial<TunnelTiming> = {},
): Promise<Duplex> {
  const proxy = await relayProxy(relay)
  return openIapTunnel(
    { project, zone, instance: name, interface: networkInterface, port: sshPort },
    {
      url: relay,
      token: async (refused) => {
        if (refused !== undefined) google.refused(refused)
        return (await google.token()).value
      },
      ...{ reconnecting, timing },
      ...(proxy ? { agent: proxy.agent } : {}),
    },
  )
}

async function removeFiles(node: SshSession, record: CaptureRecord): Promise<readonly string[]> {
  try {
    const argv = ['sh', '-c', removeScript, 'sh', record.container, ...spoolRoots]
    const { code, stderr } = await runAsRoot(node, argv, 20_000)
    return code === 0 ? [] : [filesStay(record, new Error(stderr.trim() || `exit code ${code}`))]
  } catch (error) {
    return [filesStay(record, error)]
  }
}

function filesStay({ plan }: CaptureRecord, error: unknown): string {
  return `what the recorder has on the node, until it ends by itself after ${plan.ownerTimeout} s and removes it: ${foreignWords(messageOf(error), 500)}`
}

/** What the node has, and which of it is used. */
interface Choice {
  readonly facts: NodeFacts
  readonly tool: NodeTool
  readonly spool: ReturnType<typeof chooseSpool>
}

/**
 * The recorder's programs and parameters go to the node, and it begins there, on its own.
 * @param stays told what stays on the node, in place of what it was told before
 * @returns what records, in words
 */
async function layOut(
  node: SshSession,
  record: CaptureRecord,
  { facts, tool, spool }: Choice,
  events: CaptureEvents,
  stays: (what: string | undefined) => void,
): Promise<string> {
  const { container, plan, deadline, where } = record
  const { directory, limit } = spool
  const folder = `${directory}/${container}.run`
  let prefix: readonly string[] = []
  let words = `tcpdump ${facts.tcpdump?.version ?? ''} of the node`
  if (tool.kind === 'toolbox') {
    // What it takes beyond that would be missing from the duration: the deadline stands.
    const seconds = Math.floor((record.deadlineHere - Date.now()) / 1000) - plan.duration - slack
    const version = await prepareToolbox(node, facts, tool, { seconds, stays, say: (text) => events.waiting(text) })
    prefix = toolboxCommand({ ...facts, root: 'already' }, tool, [], folder, folder)
    words = `tcpdump ${version} of the toolbox`
  }
  const whole = where.kind === 'ssh' && where.whole
  const connection = whole ? await sshConnection(node) : ''
  const filter = whole ? filterWithoutSsh(connection, plan.filter) : plan.filter
  const { CAPTURE_FOLLOWER: follower, ...parameters } = recorderParameters(
    container,
    { ...plan, filter, spoolLimit: limit },
    deadline,
  )
  const all = { ...parameters, CAPTURE_ROOT: folder, CAPTURE_WORDS: `${folder}/words` }
  const files: Record<string, string> = {
    recorder: recorderScript,
    follower: String(follower),
    parameters: Object.entries(all)
      .map(([name, value]) => `${name}=${String(value)}\n`)
      .join(''),
    inside: insideScript,
    outside: outsideScript,
  }
  const made = await runAsRoot(node, ['mkdir', '-m', '700', folder])
  if (made.code !== 0) {
    throw new NothingRecorded(`level: the node ${record.node} takes no folder in ${directory}: ${made.stderr.trim()}.`)
  }
  for (const [name, text] of Object.entries(files)) {
    const written = await runAsRoot(node, ['sh', '-c', writeScript, 'sh', folder, name], 20_000, text)
    if (written.code !== 0) {
      throw new NothingRecorded(
        `level: the node ${record.node} takes no files in ${directory}: ${written.stderr.trim()}.`,
      )
    }
  }
  const longest = Math.max(60, deadline - facts.clock) + mostHold + 60
  const argv = ['sh', '-c', beginScript, 'sh', folder, String(longest), String(plan.ownerTimeout), ...prefix]
  const begun = await runAsRoot(node, argv, 20_000)
  if (begun.code !== 0) {
    throw new NothingRecorded(`level: the recorder does not start on ${record.node}: ${begun.stderr.trim()}.`)
  }
  return words
}

/** All of it lies in one folder that is root's alone: whoever else may write beside it cannot put anything under our names. */
const writeScript = 'umask 077; cat >"$1/$2"'
/** In a session of its own: sshd ends nothing, but a shell's end may. */
const beginScript =
  'cd "$1" && shift && name=${PWD##*/} && { CAPTURE_NAME=${name%.run} setsid sh outside "$@" </dev/null >log 2>&1 & } && n=0 && while [ ! -s pid ] && [ $n -lt 50 ]; do sleep 0.1; n=$((n+1)); done; [ -s pid ]'
/** The files are removed by the recorder itself where it runs: it is told, and waited for; then whatever is there goes. */
const removeScript = [
  'name=$1; shift',
  'case $name in packet-capture-?*) ;; *) exit 2 ;; esac; case $name in */*) exit 2 ;; esac',
  'for root; do d=$root/$name.run/$name; [ ! -O "$root/$name.run" ] || [ ! -d "$d" ] || { echo cancelled >"$d/stop"; : >"$d/done"; }; done',
  'n=0; while [ $n -lt 80 ]; do left=; for root; do r=$root/$name.run; [ ! -O "$r" ] || [ ! -s "$r/pid" ] || [ -e "$r/ended" ] || { read -r pid <"$r/pid"; ! kill -0 "$pid" || left=1; }; done 2>/dev/null; [ -n "$left" ] || break; sleep 0.1; n=$((n+1)); done',
  // Where it did not: by what all of its processes have in their environment, those in a toolbox too, which outlive nspawn's SIGKILL.
  'n=0; while pids=$(grep -ls "CAPTURE_NAME=$name" /proc/[0-9]*/environ | cut -d / -f 3) && [ -n "$pids" ] && [ $n -lt 30 ]; do kill -9 $pids 2>/dev/null; sleep 0.1; n=$((n+1)); done',
  'for root; do [ ! -O "$root/$name.run" ] || rm -rf "$root/$name.run"; done',
].join('\n')
/** The line that counts begins with `state`: a login shell may say things of its own. */
const stateScript =
  'for r; do [ -O "$r" ] || continue; if [ -e "$r/ended" ]; then echo state ended; cat "$r/words" "$r/log" 2>/dev/null; exit; fi; ' +
  'read -r pid <"$r/pid" && kill -0 "$pid" && { echo state running; exit; }; echo state lost; cat "$r/words" "$r/log"; exit; done 2>/dev/null; echo state gone'

function runFolders(container: string): readonly string[] {
  return spoolRoots.map((root) => `${root}/${container}.run`)
}

function readState({ stdout }: { readonly stdout: string }): RecorderState {
  const [, word, words = ''] = /^state (\w+)$([^]*)/m.exec(stdout)?.map((part) => part.trim()) ?? []
  const message = words.slice(0, longestMessage) // a node may say anything
  if (word === 'running') return { kind: 'running', imageId: '' }
  if (word === 'ended') return { kind: 'terminated', reason: 'ended', message }
  if (word === 'lost') return { kind: 'terminated', reason: 'the recorder was ended by somebody', message }
  if (word !== 'gone') return { kind: 'unknown', reason: 'the node does not say how the recorder is' }
  return { kind: 'gone', reason: 'the node has nothing of the capture: was it restarted?' }
}

/** `CLIENT PORT SERVER PORT` of this connection, as the node sees it; '' where it does not tell. */
async function sshConnection(node: SshSession): Promise<string> {
  const { stdout } = await node.run(['sh', '-c', 'echo "connection $SSH_CONNECTION"'])
  return /^connection ([0-9a-f.:]+ \d+ [0-9a-f.:]+ \d+)$/m.exec(stdout)?.[1] ?? ''
}

/** As root: at once, or by sudo, which must not ask. */
function asRoot(argv: readonly string[]): readonly string[] {
  return ['sh', '-c', 'if [ "$(id -u)" = 0 ]; then exec "$@"; else exec sudo -n -- "$@"; fi', 'sh', ...argv]
}

async function runAsRoot(
  node: SshSession,
  argv: readonly string[],
  timeout = 10_000,
  stdin = '',
): Promise<{ code: number; stdout: string; stderr: string }> {
  return node.run(asRoot(argv), { timeout, stdin })
}

function permissionsProblem({ google }: NodeAccess, missing: Awaited<ReturnType<typeof missingPermissions>>): string {
  const lines = missing.map(({ permission, resource, role }) => `    ${permission} on ${resource} (${role})`)
  return (
    `node-method: ${google.description} lacks permissions for SSH to the node. Nothing was created.\n${lines.join('\n')}\n` +
    '  docs/terraform/node/main.tf has the roles. Or use node-method: pod.'
  )
}
