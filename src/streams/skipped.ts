/** Thrown by `work.skip(reason)`: the item is left out and counted, whatever `onError` says. */
export class Skipped extends Error {
  override readonly name = "Skipped";
}
