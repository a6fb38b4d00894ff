/** The images of the suite. On kind `images.sh` puts them into the cluster under the default names. */
export const images = {
  /** sh, tcpdump, curl, bash, iperf3: captures with it, and makes the traffic */
  capture: process.env['CAPTURE_IMAGE'] || 'docker.io/nicolaka/netshoot:latest',
  /** busybox, not as root */
  app: process.env['APP_IMAGE'] || 'docker.io/library/app:1',
  /** no shell; by its own command it serves HTTP on 8080 */
  distroless: process.env['DISTROLESS_IMAGE'] || 'docker.io/library/distroless:1',
}
