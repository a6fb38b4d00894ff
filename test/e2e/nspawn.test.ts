import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createSocket } from 'node:dgram'
import { join } from 'node:path'
import { followerScript, recorderScript } from '../../src/capture/scripts/scripts.ts'
import { parseTrailer } from '../../src/capture/trailer.ts'
import { probeNode } from '../../src/capture/recorders/ssh/probe.ts'
import { chooseTool } from '../../src/capture/recorders/ssh/tool.ts'
import { toolboxCommand } from '../../src/capture/recorders/ssh/toolbox.ts'
import { computeSshAdvice } from '../../src/google/compute/ssh-advice.ts'
import { SshSession } from '../../src/ssh/session.ts'
import { sshdLack, startSshd, type Sshd } from '../sandbox/google/sshd.ts'
import { command, until } from './cluster.ts'
import { makeTree, toolboxMissing } from './root-tree.ts'
import { generateLoginKey } from '../../src/google/compute/login-key.ts'

/**
 * The parts of the toolbox of Container-Optimized OS: systemd-nspawn under sshd, with and without --pipe. There is no systemd here, so the
 * container is not registered and gets no unit.
 */
const missing = sshdLack ?? (await toolboxMissing())
const suite = missing === undefined ? describe : describe.skip

suite(`a toolbox of systemd-nspawn through sshd${missing === undefined ? '' : `: ${missing}`}`, () => {
  // Not below /tmp: the toolbox has another /tmp.
  const folder = missing === undefined ? mkdtempSync('/var/tmp/nspawn-test-') : ''
  const toolbox = join(folder, 'toolbox')
  const pair = generateLoginKey()
  let sshd: Sshd
  let session: SshSession

  beforeAll(async () => {
    await makeTree(join(folder, 'tree'))
    writeFileSync(
      toolbox,
      `#!/bin/sh\nexec systemd-nspawn --register=no --keep-unit --directory=${folder}/tree --capability=all "$@"\n`,
      { mode: 0o755 },
    )
    sshd = await startSshd()
    sshd.authorize(pair.publicKey)
    session = new SshSession({
      connect: sshd.connect,
      user: sshd.user,
      privateKey: pair.privateKey,
      hostKeys: sshd.hostKeys,
      loginPatienceMs: 0,
      advice: computeSshAdvice,
    })
  }, 60_000)
  afterAll(async () => {
    session.close()
    await sshd.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  /** The whole stdout, of any size. */
  async function stdoutOf(argv: readonly string[]): Promise<Buffer> {
    const chunks: Buffer[] = []
    const process = await session.open(argv, {
      stdout: (chunk) => void chunks.push(chunk),
      stderr: () => undefined,
    })
    expect((await process.ended).code).toBe(1000)
    return Buffer.concat(chunks)
  }
  const inToolbox = async (argv: readonly string[], directory?: string): Promise<readonly string[]> => {
    const facts = { ...(await probeNode(session)), tcpdump: undefined, toolbox }
    const tool = chooseTool(facts)
    if (tool.kind !== 'toolbox') throw new Error('a host without tcpdump has the toolbox')
    const { root } = facts
    if (root === 'none') throw new Error('the login is not root')
    return toolboxCommand({ root, tool, argv, ...(directory === undefined ? {} : { bind: directory }) })
  }
  const capture = realpathSync(new URL('../captures/tls13-ok.pcap', import.meta.url))
  const replay = ['tcpdump', '-r', '/capture.pcap', '-Z', 'root', '-U', '-w', '-']

  it('corrupts a capture on stdout without --pipe: the terminal of nspawn replaces LF with CRLF', async () => {
    const whole = await stdoutOf(['tcpdump', '-r', capture, '-Z', 'root', '-U', '-w', '-'])
    cpSync(capture, join(folder, 'tree/capture.pcap'))
    expect(whole.includes(10)).toBe(true) // otherwise nothing could be corrupted
    const corrupted = await stdoutOf([toolbox, '--quiet', ...replay])
    expect(corrupted.equals(whole)).toBe(false)
    expect(corrupted.includes('\r\n')).toBe(true)
    writeFileSync(join(folder, 'corrupted.pcap'), corrupted)
    await expect(command('tcpdump', ['-nr', join(folder, 'corrupted.pcap')])).rejects.toThrow()
  })

  it('passes every byte unchanged with --pipe, keeps stderr separate, and returns the exit code of the process', async () => {
    cpSync(capture, join(folder, 'tree/capture.pcap'))
    const whole = await stdoutOf(['tcpdump', '-r', capture, '-Z', 'root', '-U', '-w', '-'])
    expect((await stdoutOf(await inToolbox(replay))).equals(whole)).toBe(true)
    // Every byte value, and enough bytes to fill all pipes and windows on the path.
    const noise = Buffer.alloc(20_000_000, Buffer.from(Array.from({ length: 256 }, (_, i) => i)))
    writeFileSync(join(folder, 'tree/noise'), noise)
    const hash = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
    expect(hash(await stdoutOf(await inToolbox(['cat', '/noise'])))).toBe(hash(noise))
    const finished = await session.run(await inToolbox(['sh', '-c', 'cat; echo err >&2; exit 9']), { stdin: 'in\n' })
    expect(finished).toMatchObject({ code: 9, stdout: 'in\n' })
    expect(finished.stderr).toContain('err')
  })

  it('records to a directory of the host that a follower on the host reads, and leaves nothing', async () => {
    const name = 'packet-capture-nspawn'
    const spool = join(folder, 'spool')
    mkdirSync(spool)
    const environment = {
      ...{ CAPTURE_NAME: name, CAPTURE_ROOT: spool, CAPTURE_STATUS_FILE: join(spool, 'status') },
      ...{
        CAPTURE_DEADLINE: Math.floor(Date.now() / 1000) + 120,
        CAPTURE_FILTER: 'udp port 39999',
        CAPTURE_INTERFACE: 'lo',
      },
      ...{ CAPTURE_SNAPLEN: 262144, CAPTURE_DURATION: 60, CAPTURE_SIZE: 50_000_000, CAPTURE_PACKETS: '' },
      ...{ CAPTURE_BUFFER: 4096, CAPTURE_SPOOL: 20_000_000, CAPTURE_SEGMENT: 1, CAPTURE_HEARTBEAT_TIMEOUT: 30 },
    }
    writeFileSync(join(spool, 'follower'), followerScript)
    const assignments = Object.entries(environment).map(([key, value]) => `${key}=${String(value)}`)
    const said: string[] = []
    const recording = await session.open(
      await inToolbox(['env', ...assignments, 'sh', '-c', `cd ${spool} && { ${recorderScript}\n} >&2`], spool),
      { stdout: () => undefined, stderr: (line) => said.push(line) },
    )
    const follow = join(spool, name, 'follow')
    await until('a listening recorder', 20_000, () =>
      Promise.resolve(said.some((line) => line.startsWith('listening')) || undefined),
    )
    const chunks: Buffer[] = []
    const trailerLines: string[] = []
    const lines: string[] = []
    const follower = await session.open(['sh', follow, '0'], {
      stdout: (chunk) => void chunks.push(chunk),
      stderr: (line) => {
        lines.push(line)
        if (line.startsWith('trailer ')) trailerLines.push(line.slice(8))
      },
    })
    await sendDatagrams(2_000, 39_999)
    await until('packets', 10_000, () => Promise.resolve(chunks.length > 0 || undefined))
    expect(follower.send('stop cancelled')).toBe(true) // writes the file `stop`
    await until('the end of the trailer', 20_000, () => Promise.resolve(lines.includes('end') || undefined))
    const trailer = parseTrailer(trailerLines)
    const bytes = await until('every byte', 10_000, () => {
      const all = Buffer.concat(chunks)
      return Promise.resolve(all.length === trailer?.sizeBytes ? all : undefined)
    })
    expect(trailer).toMatchObject({ reason: 'cancelled', captured: 2_000, dropped: 0, spool: 'disk' })
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(trailer?.sha256)
    follower.send('done')
    expect(await recording.ended).toEqual({ code: 1000, reason: 'exit code 0' })
    follower.close()
    await follower.ended
    expect(readdirSync(spool).sort()).toEqual(['follower', 'status']) // the run folder that this test made
    expect(await processesOf(folder)).toEqual([])
  }, 60_000)
})

async function sendDatagrams(count: number, port: number): Promise<void> {
  const socket = createSocket('udp4')
  const payload = Buffer.alloc(500, 10)
  for (let i = 0; i < count; i += 1) {
    await new Promise<void>((resolve) => socket.send(payload, port, '127.0.0.1', () => resolve()))
  }
  socket.close()
}

/** The command lines that contain the path of the folder. */
async function processesOf(folder: string): Promise<readonly string[]> {
  const script = 'for f in /proc/[0-9]*/cmdline; do tr "\\0" " " <$f 2>/dev/null; echo; done'
  const lines = (await command('sh', ['-c', script])).split('\n')
  return lines.filter((line) => line.includes(`${folder}/tree`))
}
