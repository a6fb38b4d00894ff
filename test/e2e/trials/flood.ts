import { execFile } from 'node:child_process'
import { setPriority } from 'node:os'
import { promisify } from 'node:util'

/**
 * Sends numbered datagrams (iperf3's header: seconds, microseconds, count) of 300 bytes on the wire from the node to a pod. iperf3 would
 * need more than the two cores of a trial for 50,000 packets per second. No process has to listen on the port.
 */
const program = `
import socket, struct, sys, time
host, port, rate, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
link.connect((host, port))
pad, pack, sent, total, began = bytes(246), struct.pack, 0, int(rate * seconds), time.monotonic()
while sent < total:
    due = min(total, int((time.monotonic() - began) * rate))
    while sent < due:
        sent += 1
        while True:
            try:
                link.send(pack('>III', 0, 0, sent) + pad)
                break
            except ConnectionRefusedError: # the response to an earlier datagram; this one has not been sent
                pass
    time.sleep(0.001)
print(sent, time.monotonic() - began)
`

/** @returns the number of sent datagrams and the time in seconds */
export async function flood(
  address: string,
  port: number,
  rate: number,
  seconds: number,
): Promise<{ sent: number; seconds: number }> {
  const argv = ['-c', program, address, String(port), String(rate), String(seconds)]
  const running = promisify(execFile)('python3', argv, { timeout: (seconds + 30) * 1000 })
  // The load must have the rate of the trial, also when this machine runs other processes.
  if (running.child.pid !== undefined) setPriority(running.child.pid, -15)
  const { stdout } = await running
  const [sent = 0, took = 0] = stdout.trim().split(' ').map(Number)
  return { sent, seconds: took }
}
