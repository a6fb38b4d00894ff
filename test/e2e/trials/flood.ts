import { execFile } from 'node:child_process'
import { setPriority } from 'node:os'
import { promisify } from 'node:util'

/**
 * Sends numbered datagrams (iperf3's header: seconds, microseconds, count) of 300 bytes on the wire from the node to a pod. iperf3 itself
 * needs more than the two cores that a trial has for 50,000 a second; nobody listens at the port, and nobody has to.
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
            except ConnectionRefusedError: # an answer to an earlier one; this one has not been sent
                pass
    time.sleep(0.001)
print(sent, time.monotonic() - began)
`

/** @returns how many were sent, and in how many seconds */
export async function flood(
  address: string,
  port: number,
  rate: number,
  seconds: number,
): Promise<{ sent: number; seconds: number }> {
  const argv = ['-c', program, address, String(port), String(rate), String(seconds)]
  const running = promisify(execFile)('python3', argv, { timeout: (seconds + 30) * 1000 })
  // The load has to be what the trial says, whatever else this machine does.
  if (running.child.pid !== undefined) setPriority(running.child.pid, -15)
  const { stdout } = await running
  const [sent = 0, took = 0] = stdout.trim().split(' ').map(Number)
  return { sent, seconds: took }
}
