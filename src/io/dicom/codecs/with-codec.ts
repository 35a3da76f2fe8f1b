import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

/** A decoder of the codecs, which are C++ libraries compiled to WebAssembly. */
export interface WasmDecoder {
  getEncodedBuffer(length: number): Uint8Array;
  getDecodedBuffer(): Uint8Array;
  decode(): void;
  delete(): void;
}

type WasmModule<Name extends string, Decoder> = Readonly<Record<Name, new () => Decoder>>;

interface WasmInstance {
  readonly exports: object;
}

/** What is used of a global that the types of Node know by half. */
const wasm = (
  globalThis as unknown as {
    WebAssembly: { Module: new (bytes: Uint8Array) => object; Instance: new (module: object, imports: object) => WasmInstance };
  }
).WebAssembly;

const load = createRequire(import.meta.url);
const modules = new Map<string, unknown>();

/** Messages of the library that decodes right now; it reports some faults only so. */
let messages: string[] = [];

/**
 * Lets a decoder of a codec work on one picture, and frees it. The codec is loaded when it is first needed, and at once: the voxels of a case are read
 * synchronously. One that failed is not used again, since its memory may be in any state.
 *
 * @throws what the codec throws, as an `Error` with its message
 */
export function withCodec<Name extends string, Decoder extends WasmDecoder, T>(packageName: string, name: Name, use: (decoder: Decoder) => T): T {
  messages = [];
  let decoder: Decoder | undefined;
  try {
    let codec = modules.get(packageName) as WasmModule<Name, Decoder> | undefined;
    if (!codec) {
      codec = instantiate<Name, Decoder>(packageName);
      modules.set(packageName, codec);
    }
    decoder = new codec[name]();
    const result = use(decoder);
    const fault = messages.find((message) => /error|fail/i.test(message));
    if (fault !== undefined) throw new Error(fault);
    decoder.delete();
    return result;
  } catch (cause) {
    modules.delete(packageName);
    // C++ exceptions arrive as numbers.
    throw cause instanceof Error ? cause : new Error(messages[0] ?? "data that it cannot decode", { cause });
  }
}

/** The factory fills the object that it is given before it returns, when its WebAssembly is there at once. */
function instantiate<Name extends string, Decoder>(packageName: string): WasmModule<Name, Decoder> {
  const factory = load(`${packageName}/decodewasmjs`) as (options: object) => Promise<unknown>;
  const bytes = readFileSync(load.resolve(`${packageName}/decodewasm`));
  const codec = {
    print: note,
    printErr: note,
    instantiateWasm(imports: object, done: (instance: WasmInstance) => void): object {
      const instance = new wasm.Instance(new wasm.Module(bytes), imports);
      done(instance);
      return instance.exports;
    },
  };
  // Whatever is wrong shows at once, or when the codec is used.
  factory(codec).catch(() => undefined);
  return codec as unknown as WasmModule<Name, Decoder>;
}

function note(message: string): void {
  if (messages.length < 16) messages.push(message.trim());
}
