import { readdirSync, readFileSync } from 'node:fs'
import { setPriority } from 'node:os'
import { apply, kubectl, podAddresses, podManifest, until, type Manifest } from '../cluster.ts'
import { images } from '../images.ts'

/** Frames of 300 bytes on the wire: Ethernet 14, IPv4 20, UDP 8. */
const payload = 258
const firstPort = 5201
const ports = 16

/** A pod that receives the traffic of the others: iperf3 on 16 ports, and discard. @returns its address */
export async function createSink(namespace: string): Promise<string> {
  const script = `for p in $(seq ${String(firstPort)} ${String(firstPort + ports - 1)}); do iperf3 -s -p $p >/dev/null 2>&1 & done; exec nc -u -l -k 9 >/dev/null`
  await apply([podManifest(namespace, 'sink', { image: images.capture, command: ['bash', '-c', script] })])
  const [address = ''] = await podAddresses(namespace, 'sink')
  return address
}

/** A pod to capture. With `talk` it sends 100 datagrams per second to the sink until it is deleted. */
export function sourceManifest(
  namespace: string,
  name: string,
  sink: string,
  { talk = false, spec = {} }: { talk?: boolean; spec?: Manifest } = {},
): Manifest {
  const talking = `exec 3>/dev/udp/${sink}/9; while :; do for i in 1 2 3 4 5 6 7 8 9 10; do printf '%0258d' 0 >&3; done; sleep 0.1; done`
  return podManifest(namespace, name, {
    image: images.capture,
    command: talk ? ['bash', '-c', talking] : ['sleep', '1000000'],
    spec,
  })
}

export interface Stream {
  filter: string
  port: number
  /** the number of datagrams that iperf3 has sent; resolves when it has ended */
  sent(): Promise<number>
}

let nextPort = 0

/** Reserves a port for each stream, so that several can run in parallel and `filter` is known before the first packet. */
export function planStream(): { filter: string; port: number } {
  const port = firstPort + (nextPort++ % ports)
  return { filter: `udp port ${String(port)}`, port }
}

/**
 * Sends numbered datagrams from the pod to the sink, `rate` per second. iperf3 continues in the pod if the connection that started it is cut.
 */
export async function sendStream(
  namespace: string,
  pod: string,
  sink: string,
  { port, rate, seconds }: { port: number; rate: number; seconds: number },
): Promise<{ sent(): Promise<number> }> {
  const report = `/tmp/stream-${String(port)}`
  const iperf = `iperf3 -u -c ${sink} -p ${String(port)} -b ${String(rate * payload * 8)} -l ${String(payload)} -t ${String(seconds)} -J`
  const script = `rm -f ${report}; setsid sh -c '${iperf} >${report}.part 2>&1; mv ${report}.part ${report}' </dev/null >/dev/null 2>&1 &`
  await kubectl(['-n', namespace, 'exec', pod, '-c', 'app', '--', 'sh', '-c', script])
  await until(`iperf3 to port ${String(port)}`, 10_000, () => Promise.resolve(prefer(sink, port)))
  return {
    sent: async () => {
      const text = await until(`the report of iperf3 in ${pod}`, seconds * 1000 + 60_000, () =>
        kubectl(['-n', namespace, 'exec', pod, '-c', 'app', '--', 'cat', report], { timeout: 10_000 }),
      )
      const { error, end } = JSON.parse(text) as {
        error?: string
        end?: { streams?: { udp?: { packets?: number } }[] }
      }
      const packets = end?.streams?.[0]?.udp?.packets
      if (packets === undefined) throw new Error(`iperf3: ${error ?? text.slice(0, 300)}`)
      return packets
    },
  }
}

/** Raises the priority of iperf3 on this machine, so that the load has the rate of the trial. @returns true if the process was found */
function prefer(sink: string, port: number): true | undefined {
  const wanted = `iperf3\0-u\0-c\0${sink}\0-p\0${String(port)}\0`
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith(wanted)) continue
      setPriority(Number(pid), -15)
      return true
    } catch {
      // the process has ended meanwhile
    }
  }
  return undefined
}

export interface Numbers {
  /** datagrams of the stream in the capture, and how many of them appear twice */
  found: number
  twice: number
  /** the highest number */
  last: number
  /** runs of missing numbers below the highest one */
  gaps: { packets: number; seconds: number }[]
}

/**
 * Reads the numbers of iperf3's datagrams to the port (header: seconds, microseconds, count, each 32 bits, big endian). tshark would need
 * minutes for half a million packets; soundPackets checks the file with tcpdump and tshark.
 */
export function readNumbers(path: string, port: number): Numbers {
  const file = readFileSync(path)
  if (file.readUInt32LE(0) !== 0xa1b2c3d4) throw new Error(`${path} is not a pcap with microseconds`)
  const linkHeader = new Map([
    [1, 14],
    [276, 20],
  ]).get(file.readUInt32LE(20) & 0xffff)
  if (linkHeader === undefined) throw new Error(`${path} has the link type ${String(file.readUInt32LE(20))}`)
  const times = new Map<number, number>()
  let twice = 0
  for (let at = 24; at + 16 <= file.length;) {
    const time = file.readUInt32LE(at) + file.readUInt32LE(at + 4) / 1e6
    const length = file.readUInt32LE(at + 8)
    const udp = at + 16 + linkHeader + 20
    if (length >= linkHeader + 28 + payload && file.readUInt16BE(udp + 2) === port) {
      const count = file.readUInt32BE(udp + 8 + 8)
      if (times.has(count)) twice += 1
      times.set(count, time)
    }
    at += 16 + length
  }
  const numbers = [...times.keys()].sort((a, b) => a - b)
  const gaps: Numbers['gaps'] = []
  let before = 0
  for (const count of numbers) {
    if (count !== before + 1) {
      gaps.push({ packets: count - before - 1, seconds: (times.get(count) ?? 0) - (times.get(before) ?? 0) })
    }
    before = count
  }
  return { found: times.size, twice, last: before, gaps }
}
