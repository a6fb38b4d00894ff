import { basename } from 'node:path'
import type { Target } from '../../../src/cluster/target.ts'
import { recordFor, target } from '../../support/target.ts'

const fileOf = (of: Target, isFileNameShared: boolean, captureId = 'packet-capture-x'): string =>
  recordFor({ target: of, isFileNameShared, captureId, folder: '/out', fileName: 'incident' }).path

it('keeps the file name when the run has one target', () => {
  expect(fileOf(target(), false)).toBe('/out/incident.pcap')
})

it('adds the target to the file name when the run has several targets', () => {
  const paths = [
    fileOf(target(), true),
    fileOf({ ...target(), pod: 'web-2' }, true),
    fileOf({ ...target(), namespace: 'other' }, true),
    fileOf({ kind: 'node', node: 'node-1' }, true),
  ]
  expect(paths).toEqual([
    '/out/incident-shop_web-1.pcap',
    '/out/incident-shop_web-2.pcap',
    '/out/incident-other_web-1.pcap',
    '/out/incident-node-1.pcap',
  ])
})

it('shortens long target names and keeps them unique', () => {
  const long = (end: string): string =>
    fileOf({ ...target(), pod: `${'a'.repeat(240)}${end}` }, true, `packet-capture-1234567${end}`)
  expect(long('1')).not.toBe(long('2'))
  expect(basename(long('1')).length).toBeLessThanOrEqual(255)
})

it('records the addresses of a pod that does not use the host network', () => {
  const status = { podIPs: [{ ip: '10.0.0.5' }] }
  expect(recordFor({ target: target({ status }) }).target).toMatchObject({ addresses: ['10.0.0.5'] })
  const onNode = target({ status, spec: { hostNetwork: true } })
  expect(recordFor({ target: onNode }).target).toMatchObject({ addresses: [] })
})
