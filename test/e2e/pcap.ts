import { command } from './cluster.ts'

/** What tcpdump, not our own reader, finds in a capture. */
export async function readPcap(path: string, filter = ''): Promise<string> {
  return command('tcpdump', ['-nn', '-A', '-r', path, ...(filter === '' ? [] : ['--', filter])])
}

/** How many packets of the capture match; tcpdump decides. */
export async function countPackets(path: string, filter = ''): Promise<number> {
  const text = await command('tcpdump', ['-nn', '-q', '-t', '-r', path, ...(filter === '' ? [] : ['--', filter])])
  return text.split('\n').filter((line) => line !== '').length
}

/** The numbers N of all `GET /n/N` in the capture, each once, in order. */
export async function requestsIn(path: string, filter = ''): Promise<number[]> {
  const found = (await readPcap(path, filter)).matchAll(/GET \/n\/(\d+) HTTP/g)
  return [...new Set([...found].map((match) => Number(match[1])))].sort((a, b) => a - b)
}

export const oneTo = (last: number): number[] => Array.from({ length: last }, (_, i) => i + 1)
