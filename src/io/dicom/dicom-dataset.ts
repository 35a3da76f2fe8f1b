import { VoxError } from "../../core/errors.js";
import { DICOM_TAGS, type DicomTag } from "./dicom-tags.js";

/** Attributes of a DICOM object or of an item of a sequence: those that were asked for, by name, decoded when they are looked at. */
export class DicomDataset {
  private readonly values = new Map<number, Uint8Array | readonly DicomDataset[]>();

  constructor(
    private readonly path: string,
    private readonly littleEndian: boolean,
    private readonly parent?: DicomDataset,
  ) {}

  set(tag: number, value: Uint8Array | readonly DicomDataset[]): void {
    this.values.set(tag, value);
  }

  has(name: DicomTag): boolean {
    const value = this.values.get(DICOM_TAGS[name][0]);
    return value !== undefined && value.length > 0;
  }

  /** Without padding; undefined when absent or empty. */
  text(name: DicomTag): string | undefined {
    const value = this.values.get(DICOM_TAGS[name][0]);
    if (!(value instanceof Uint8Array)) return undefined;
    const text = decoder(this.charset())
      .decode(value)
      .replace(/[\0 ]+$/, "")
      .trimStart();
    return text === "" ? undefined : text;
  }

  /** The values of an attribute with several. */
  texts(name: DicomTag): readonly string[] {
    return (
      this.text(name)
        ?.split("\\")
        .map((part) => part.trim()) ?? []
    );
  }

  /**
   * The numbers of an attribute; none when it is absent or empty.
   *
   * @throws `ERR_HEADER` when one is no number
   */
  numbers(name: DicomTag): readonly number[] {
    const [tag, vr] = DICOM_TAGS[name];
    const value = this.values.get(tag);
    if (!(value instanceof Uint8Array) || value.length === 0) return [];
    if (vr === "US") {
      const view = new DataView(value.buffer, value.byteOffset, value.length);
      return Array.from({ length: value.length >> 1 }, (_, n) => view.getUint16(2 * n, this.littleEndian));
    }
    // Decimal strings are ASCII, and much faster to read as such.
    const text = Buffer.from(value.buffer, value.byteOffset, value.length).toString("latin1");
    const parts = text.replace(/[\0 ]+$/, "").split("\\");
    if (parts.length === 1 && parts[0]!.trim() === "") return [];
    return parts.map((part) => {
      const number = part.trim() === "" ? Number.NaN : Number(part);
      if (Number.isFinite(number)) return number;
      throw new VoxError(`${name} must be numbers, got "${part.slice(0, 40)}"`, { code: "ERR_HEADER", where: this.path });
    });
  }

  number(name: DicomTag): number | undefined {
    return this.numbers(name)[0];
  }

  items(name: DicomTag): readonly DicomDataset[] {
    const value = this.values.get(DICOM_TAGS[name][0]);
    return value === undefined || value instanceof Uint8Array ? [] : value;
  }

  private charset(): string {
    const own = this.values.get(DICOM_TAGS.SpecificCharacterSet[0]);
    if (!(own instanceof Uint8Array) || own.length === 0) return this.parent?.charset() ?? "";
    return Buffer.from(own).toString("latin1");
  }
}

/** Of several character sets (ISO 2022) the one that is not the default. PS3.3 C.12.1.1.2. */
const CHARSETS: readonly (readonly [RegExp, string])[] = [
  [/ISO_IR 192/, "utf-8"],
  [/GB18030|GBK|IR 58/, "gb18030"],
  [/IR 87|IR 159/, "iso-2022-jp"],
  [/IR 149/, "euc-kr"],
  [/IR 13\b/, "shift_jis"],
  [/IR 101/, "iso-8859-2"],
  [/IR 109/, "iso-8859-3"],
  [/IR 110/, "iso-8859-4"],
  [/IR 144/, "iso-8859-5"],
  [/IR 127/, "iso-8859-6"],
  [/IR 126/, "iso-8859-7"],
  [/IR 138/, "iso-8859-8"],
  [/IR 148/, "windows-1254"],
  [/IR 166/, "windows-874"],
];

/** Node's decoder, whose type is no global name. */
type Decoder = InstanceType<typeof TextDecoder>;

const decoders = new Map<string, Decoder>();

function decoder(charset: string): Decoder {
  let known = decoders.get(charset);
  if (!known) {
    known = new TextDecoder(CHARSETS.find(([name]) => name.test(charset))?.[1] ?? "latin1");
    // Only names that files give are remembered, and few of those.
    if (decoders.size < 64) decoders.set(charset, known);
  }
  return known;
}
