/** How the attributes of a file are encoded, and its pixels. */
export interface TransferSyntax {
  readonly name: string;
  readonly isExplicit: boolean;
  readonly isLittleEndian: boolean;
  readonly isDeflated?: boolean;
  /** Absent: pixels as they are. */
  readonly codec?: PixelCodec;
}

export type PixelCodec = "rle" | "jpeg" | "jpegLossless" | "jpegLs" | "jpeg2000";

const compressed = (name: string, codec: PixelCodec): TransferSyntax => ({ name, isExplicit: true, isLittleEndian: true, codec });

/**
 * Transfer syntaxes that are read.
 *
 * @source DICOM PS3.5, section 10 and annex A
 */
export const TRANSFER_SYNTAXES: Readonly<Record<string, TransferSyntax>> = {
  "1.2.840.10008.1.2": { name: "Implicit VR Little Endian", isExplicit: false, isLittleEndian: true },
  "1.2.840.10008.1.2.1": { name: "Explicit VR Little Endian", isExplicit: true, isLittleEndian: true },
  "1.2.840.10008.1.2.1.99": { name: "Deflated Explicit VR Little Endian", isExplicit: true, isLittleEndian: true, isDeflated: true },
  "1.2.840.10008.1.2.2": { name: "Explicit VR Big Endian", isExplicit: true, isLittleEndian: false },
  "1.2.840.10008.1.2.4.50": compressed("JPEG Baseline", "jpeg"),
  "1.2.840.10008.1.2.4.51": compressed("JPEG Extended", "jpeg"),
  "1.2.840.10008.1.2.4.57": compressed("JPEG Lossless", "jpegLossless"),
  "1.2.840.10008.1.2.4.70": compressed("JPEG Lossless, first-order prediction", "jpegLossless"),
  "1.2.840.10008.1.2.4.80": compressed("JPEG-LS Lossless", "jpegLs"),
  "1.2.840.10008.1.2.4.81": compressed("JPEG-LS Near-Lossless", "jpegLs"),
  "1.2.840.10008.1.2.4.90": compressed("JPEG 2000 Lossless", "jpeg2000"),
  "1.2.840.10008.1.2.4.91": compressed("JPEG 2000", "jpeg2000"),
  "1.2.840.10008.1.2.5": compressed("RLE Lossless", "rle"),
};
