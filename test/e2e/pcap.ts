import { command } from './cluster.ts'

/** The packets of a capture as text, read by tcpdump and not by the reader of the action. */
export async function readPcap(path: string, filter = ''): Promise<string> {
  return command('tcpdump', ['-nn', '-A', '-r', path, ...(filter === '' ? [] : ['--', filter])])
}

/** How many packets of the capture match the filter, according to tcpdump. */
export async function countPackets(path: string, filter = ''): Promise<number> {
  const text = await command('tcpdump', ['-nn', '-q', '-t', '-r', path, ...(filter === '' ? [] : ['--', filter])])
  return text.split('\n').filter((line) => line !== '').length
}

/** The numbers N of all `GET /n/N` in the capture, sorted, without duplicates. */
export async function requestsIn(path: string, filter = ''): Promise<number[]> {
  const found = (await readPcap(path, filter)).matchAll(/GET \/n\/(\d+) HTTP/g)
  return [...new Set([...found].map((match) => Number(match[1])))].sort((a, b) => a - b)
}

export const oneTo = (last: number): number[] => Array.from({ length: last }, (_, i) => i + 1)
