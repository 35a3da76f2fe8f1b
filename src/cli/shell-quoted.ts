/** An argument as it must be typed on a command line that is shown: paths may hold spaces. */
export function shellQuoted(text: string): string {
  return /^[\w./:=@#,+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
