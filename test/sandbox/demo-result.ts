// What the demo shows of its capture: the result of the step, the kept file, and the first HTTP messages in it.

import { createHash } from 'node:crypto'
import { chownSync, copyFileSync, createReadStream, existsSync, mkdirSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, relative } from 'node:path'
import { text } from 'node:stream/consumers'
import type { StepResult } from '../runner/step-process.ts'
import type { SandboxCluster } from './cluster/start.ts'

export interface Outcome {
  main: StepResult
  post: StepResult
  cancelled: boolean
}

export interface DemoResult {
  verdict: string
  verdictReason: string | undefined
  packets: number
  /** on the runner; undefined if nothing was recorded */
  file: string | undefined
  target: { namespace: string; pod: string } | undefined
  interfaces: readonly { index: number; name: string }[]
}

/** The outputs of main, or of the post step where main was cancelled before it had them. */
export function resultOf({ main, post }: Outcome): DemoResult {
  const outputs = { ...main.outputs, ...post.outputs }
  const [capture] = (
    JSON.parse(outputs['result'] ?? '{"captures":[]}') as {
      captures: { target: { namespace: string; pod: string }; capture: { interfaces: DemoResult['interfaces'] } }[]
    }
  ).captures
  const file = outputs['pcap-path']
  return {
    verdict: outputs['verdict'] ?? 'none',
    verdictReason: outputs['verdict-reason'],
    packets: Number(outputs['packets'] ?? 0),
    file: file !== undefined && existsSync(file) ? file : undefined,
    target: capture?.target,
    interfaces: capture?.capture.interfaces ?? [],
  }
}

/**
 * Copies a file into demo/ of the checkout, or into a new temporary folder if the checkout is not writable. Returns the text that says
 * where it is and how to open it.
 */
export function keepFile(path: string, shownName: string, root: string): string {
  const name = basename(shownName)
  const copy = (folder: string): string => {
    mkdirSync(folder, { recursive: true })
    copyFileSync(path, join(folder, name))
    return folder
  }
  let folder: string
  try {
    folder = copy(join(root, 'demo'))
  } catch {
    folder = copy(mkdtempSync(join(tmpdir(), 'packet-capture-')))
  }
  const kept = join(folder, name)
  // With sudo, the result still belongs to the user who ran the demo.
  const [uid, gid] = [Number(process.env['SUDO_UID']), Number(process.env['SUDO_GID'])]
  if (uid > 0) for (const one of [folder, kept]) chownSync(one, uid, gid)
  const bytes = readFileSync(kept)
  const digest = createHash('sha256').update(bytes).digest('hex')
  const shown = relative(process.cwd(), kept)
  return [
    `  ${kept}`,
    `  ${bytes.length.toLocaleString('en')} bytes, sha256 ${digest}`,
    '',
    'Open it:',
    `  wireshark ${shown}`,
    `  tcpdump -n -r ${shown}`,
  ].join('\n')
}

/**
 * The first HTTP messages of a file, read by tcpdump in the captured pod: the file has only the numbers of the interfaces, and tcpdump
 * prints the names that these numbers have where it runs.
 */
export async function firstMessages(
  path: string,
  { packets, target, interfaces }: DemoResult,
  cluster: SandboxCluster,
): Promise<string> {
  if (packets === 0 || target === undefined) return ''
  const read = ['tcpdump', '-Z', 'root', '-n', '-r', '-', '-c', '4', 'tcp[tcpflags] & tcp-push != 0']
  const running = cluster.exec(target.namespace, target.pod, read)
  if (running === undefined) return ''
  const { stdin, stdout, stderr } = running.child
  stdin.on('error', () => undefined) // tcpdump ends after four packets
  createReadStream(path).pipe(stdin)
  stderr.resume()
  const [lines] = await Promise.all([text(stdout), running.ended])
  const names = interfaces.map(({ index, name }) => `${String(index)} is ${name}`).join(', ')
  return [
    '',
    'Its first HTTP messages:',
    lines.replace(/^/gm, '  ').trimEnd(),
    `(The file has only the numbers of the interfaces: ${names}. tcpdump outside of the pod prints the names that these`,
    'numbers have on this machine.)',
  ].join('\n')
}
