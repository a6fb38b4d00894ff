/**
 * 1 GB at 400 Mbit/s in writes of 32 kB between two pods of the test cluster, captured by the committed action and by `kubectl exec … tcpdump
 * -w -`, in turn: what arrives, and the CPU time in the pod. Fails where the action's capture is not complete, or costs more than 1.5 x the CPU
 * time for each MB. `node bench/throughput.ts [PAIRS]`. Needs KUBECONFIG and, for the CPU time, a node that is this machine.
 */
import { openThroughputRig, type TransferCapture } from '../test/e2e/throughput.ts'

const pairCount = Number(process.argv[2] ?? 2)
const rig = await openThroughputRig()
try {
  for (let pair = 1; pair <= pairCount; pair += 1) {
    const plain = await rig.byKubectl()
    const ours = await rig.byAction()
    const ratio = (ours.cpuSecondsPerMB ?? Number.NaN) / (plain.cpuSecondsPerMB ?? Number.NaN)
    const verdict = ours.run.capture?.verdict.verdict ?? 'none'
    console.log(
      `pair ${String(pair)}: kubectl ${figures(plain)}; action ${figures(ours)}, ${verdict}; CPU for each MB: ${ratio.toFixed(2)} x`,
    )
    if (verdict !== 'complete' || !(ratio <= 1.5)) process.exitCode = 1
  }
} finally {
  await rig.close()
}

function figures({ bytes, dropped, pausedSeconds, cpuSecondsPerMB = Number.NaN }: TransferCapture): string {
  const cpu = `${(cpuSecondsPerMB * 1e3).toFixed(2)} ms CPU/MB`
  return `${(bytes / 1e6).toFixed(0)} MB, ${String(dropped)} dropped, paused ${pausedSeconds.toFixed(1)} s, ${cpu}`
}
