import { rbacFile } from '../../../../src/app/cluster-access/rbac-file.ts'

it.each([
  ['kubeconfig', 'dev', 'developer.yaml'],
  ['kubeconfig', undefined, 'developer.yaml'],
  ['api-server', 'system:serviceaccount:ci:runner', 'developer.yaml'],
  ['cluster', undefined, 'google-service-account.yaml'],
  ['cluster', 'capture@shop-prod.iam.gserviceaccount.com', 'google-service-account.yaml'],
  ['kubeconfig', 'capture@shop-prod.iam.gserviceaccount.com', 'google-service-account.yaml'],
  ['kubeconfig', 'principal://iam.googleapis.com/x/subject/repo:o/r:y', 'google-service-account.yaml'],
  ['api-server', 'github:repo:octo-org/shop:environment:packet-capture', 'github-oidc.yaml'],
  ['api-server', 'repo:octo-org/shop:ref:refs/heads/main', 'github-oidc.yaml'],
] as const)('finds the rights of a run with %s as %s in %s', (input, identity, file) => {
  expect(rbacFile(input, identity)).toBe(file)
})
