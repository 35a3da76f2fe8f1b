import type { Observable } from "rxjs";
import { retain } from "../../core/retain.js";
import type { ItemIdentity } from "../item.js";
import { node } from "../node.js";

/** A flow of exactly one item that keeps the identity of the item it was made for: a small graph inside a stage. */
export function one<T>(value: T, { id, epoch }: ItemIdentity): Observable<T> {
  return node<never, T>({ name: "one", from: [] }, (self) => {
    let isLeft = true;
    return {
      room: () => false,
      push: () => {},
      ready: () => isLeft,
      pull: () => {
        isLeft = false;
        retain(value);
        return { value, id, epoch, at: self.graph.from };
      },
      size: () => 0,
      done: () => !isLeft,
    };
  })[0]!;
}
