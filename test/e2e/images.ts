/** The images of the suite. On kind, `images.sh` loads them into the cluster under the default names. */
export const images = {
  /** has sh, tcpdump, curl, bash and iperf3: for the capture container and for traffic */
  capture: process.env['CAPTURE_IMAGE'] || 'docker.io/nicolaka/netshoot:latest',
  /** busybox, runs as non-root */
  app: process.env['APP_IMAGE'] || 'docker.io/library/app:1',
  /** has no shell; its default command serves HTTP on 8080 */
  distroless: process.env['DISTROLESS_IMAGE'] || 'docker.io/library/distroless:1',
}
