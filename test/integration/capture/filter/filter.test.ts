import { execFile } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { widerFilter } from '../../../../src/capture/filter/filter.ts'

/**
 * Runs checkFilterHere in a separate process with `path` as PATH: child processes do not inherit jest's `process.env`.
 * @returns what it returned, or the name and the message of its error
 */
async function check(
  filter: string | undefined,
  networkInterface: string,
  path: string,
): Promise<boolean | { name: string; message: string }> {
  const script = `
    const { checkFilterHere } = await import(process.argv[1])
    const answer = await checkFilterHere(process.argv[3], process.argv[2]).catch(({ name, message }) => ({ name, message }))
    console.log(JSON.stringify(answer))`
  const module = new URL('../../../../src/capture/filter/filter.ts', import.meta.url).href
  const args = [
    '--no-warnings',
    '--input-type=module',
    '-e',
    script,
    module,
    networkInterface,
    ...(filter === undefined ? [] : [filter]),
  ]
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: { PATH: path } })
  return JSON.parse(stdout) as boolean | { name: string; message: string }
}

describe('the check on the runner', () => {
  const system = '/bin:/usr/bin'
  let folder: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'filter-'))
  })
  afterEach(() => {
    rmSync(folder, { recursive: true })
  })

  const checkHere = (filter: string | undefined, networkInterface: string): ReturnType<typeof check> =>
    check(filter, networkInterface, `${folder}:${system}`)

  /** A fake tcpdump that records its arguments, one on each line, prints `stderr` and exits with `code`. */
  function fakeTcpdump(code: number, stderr = ''): () => string[] {
    const asked = join(folder, 'asked')
    writeFileSync(join(folder, 'stderr'), stderr)
    writeFileSync(
      join(folder, 'tcpdump'),
      `#!/bin/sh\nprintf '%s\\n' "$@" >${asked}\ncat ${join(folder, 'stderr')} >&2\nexit ${String(code)}\n`,
    )
    chmodSync(join(folder, 'tcpdump'), 0o755)
    return () => readFileSync(asked, 'utf8').trimEnd().split('\n')
  }

  it('passes the filter as one argument after --, compiled for the link type of `any`', async () => {
    const asked = fakeTcpdump(0)
    expect(await checkHere('tcp port 80; $(reboot) -w x', 'any')).toBe(true)
    expect(asked().slice(-2)).toEqual(['--', 'tcp port 80; $(reboot) -w x'])
    expect(asked().join(' ')).toContain('-y LINUX_SLL2')
    expect(asked()).toContain('-d')
  })

  it('compiles for Ethernet on an Ethernet interface, where `ether host` is valid', async () => {
    const asked = fakeTcpdump(0)
    expect(await checkHere('ether host 0:1:2:3:4:5', 'eth0')).toBe(true)
    expect(asked().join(' ')).toContain('-y EN10MB')
  })

  it('does not check the filter when only the pod knows the link type of the interface', async () => {
    fakeTcpdump(1, 'tcpdump: syntax error')
    expect(await checkHere('tcp', 'tun0')).toBe(false)
  })

  it('does not run tcpdump without a filter', async () => {
    const asked = fakeTcpdump(1, 'never')
    expect(await checkHere(undefined, 'any')).toBe(false)
    expect(asked).toThrow()
  })

  it("rejects an invalid filter with the input name and tcpdump's message", async () => {
    fakeTcpdump(1, "tcpdump: can't parse filter expression: syntax error\ntcpdump: near here\n")
    expect(await checkHere('tcp prot 80', 'any')).toEqual({
      name: 'ConfigurationError',
      message: expect.stringMatching(
        /^filter: tcpdump rejects "tcp prot 80" for the interface any: can't parse filter expression: syntax error; near here\. See /,
      ) as string,
    })
  })

  it.each([
    ['tcpdump: invalid data link type LINUX_SLL2', 'an old tcpdump'],
    ["tcpdump: unknown host 'checkout.shop.svc.cluster.local'", 'a name of the cluster'],
  ])('does not reject the filter when tcpdump reports "%s" (%s)', async (stderr) => {
    fakeTcpdump(1, stderr)
    expect(await checkHere('host checkout.shop.svc.cluster.local', 'any')).toBe(false)
  })

  it('is skipped when the runner has no tcpdump', async () => {
    expect(await check('not a filter at all', 'any', folder)).toBe(false)
  })

  it('is skipped when tcpdump cannot start or is killed', async () => {
    writeFileSync(join(folder, 'tcpdump'), 'no program', { mode: 0o644 })
    expect(await check('tcp', 'any', folder)).toBe(false)
    writeFileSync(join(folder, 'tcpdump'), '#!/bin/sh\nkill -9 $$\n')
    chmodSync(join(folder, 'tcpdump'), 0o755)
    expect(await checkHere('tcp', 'any')).toBe(false)
  })
})

describe('the wider filter for a pod with a sidecar', () => {
  const app = { name: 'app', ports: [{ containerPort: 8080 }] }
  const pod = (...containers: object[]): Parameters<typeof widerFilter>[0] => ({
    spec: { containers: [app, ...containers] },
  })
  const meshed = pod({ name: 'istio-proxy' })

  it('adds the port of the outbound plaintext', () => {
    expect(widerFilter(meshed, 'tcp port 8080')).toBe('(tcp port 8080) or tcp port 15001')
    expect(widerFilter(meshed, 'port 80 or port 443')).toBe('(port 80 or port 443) or tcp port 15001')
    expect(widerFilter(meshed, 'portrange 8000-8100')).toBe('(portrange 8000-8100) or tcp port 15001')
  })

  it('detects a sidecar by its name, its port, or the redirect of its init container', () => {
    const init = { name: 'setup', args: ['istio-iptables', '-p', '15001', '-z', '15006'] }
    expect(widerFilter(pod({ name: 'mesh', ports: [{ containerPort: 15001 }] }), 'port 80')).toBeDefined()
    expect(widerFilter({ spec: { containers: [app], initContainers: [init] } }, 'port 80')).toBeDefined()
    expect(
      widerFilter({ spec: { containers: [app], initContainers: [{ name: 'istio-proxy' }] } }, 'port 80'),
    ).toBeDefined()
  })

  it('is undefined when the filter misses no packets', () => {
    expect(widerFilter(pod(), 'tcp port 8080')).toBeUndefined()
    expect(widerFilter({}, 'tcp port 8080')).toBeUndefined()
    expect(widerFilter(pod({ name: 'job', args: ['--port', '15001'] }), 'port 80')).toBeUndefined()
    expect(widerFilter(meshed, undefined)).toBeUndefined()
    expect(widerFilter(meshed, 'host 10.0.0.1')).toBeUndefined()
    expect(widerFilter(meshed, 'tcp port 80 or tcp port 15001')).toBeUndefined()
  })
})
