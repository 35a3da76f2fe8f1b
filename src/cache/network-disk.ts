/** File systems of `statfs` that other machines may write to. FUSE may be local or remote; nobody can tell. */
const NETWORK_DISKS: ReadonlyMap<number, string> = new Map([
  [0x6969, "NFS"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB2"],
  [0x517b, "SMB"],
  [0x65735546, "FUSE"],
  [0x5346414f, "AFS"],
  [0x0bd00bd0, "Lustre"],
  [0x47504653, "GPFS"],
  [0x00c36400, "Ceph"],
  [0x01021997, "9P"],
  [0x19830326, "BeeGFS"],
]);

/**
 * The kind of network disk that a `statfs` type stands for, or undefined for a disk of this machine.
 *
 * @source Linux, include/uapi/linux/magic.h, and the manual page statfs(2)
 */
export function networkDisk(type: number): string | undefined {
  // Some systems give the 32 bits with a sign.
  return NETWORK_DISKS.get(type >>> 0);
}
