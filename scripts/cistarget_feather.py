#!/usr/bin/env python3
"""Published cisTarget databases (Feather v2) to grn-tools matrices and back.

    cistarget_feather.py to-grn  hg38.regions_vs_motifs.rankings.feather ranks.tensor.zst
    cistarget_feather.py to-feather ranks.tensor.zst mine.regions_vs_motifs.rankings.feather

Needs pyarrow, numpy, zstandard and xxhash from PyPI. Both orientations of Feather are read (X_vs_motifs: a column per region or gene;
motifs_vs_X: a column per motif); regions_vs_motifs (genes_vs_motifs) is written, which ctxcore and pycistarget read. Whether values are
ranks or scores is taken from the file name (.rankings., .scores.). The matrix on disk is motifs x regions, as grn-build scan, rank
and enrich use it (docs/formats.md); turning it round goes through a temporary file of 4 bytes a value, so memory stays at some
hundred MB whatever the size."""
import argparse
import json
import os
import struct
import sys
import tempfile

import numpy as np
import pyarrow as pa
import xxhash
import zstandard

FRAME = 4 << 20
DTYPES = {"U8": "<u1", "U16": "<u2", "U32": "<u4", "F32": "<f4"}


class Writer:
    """The container of docs/formats.md: safetensors in zstd frames, index of hashes, seek table."""

    def __init__(self, path, metadata, tensors):  # tensors: (name, dtype, shape), largest elements first, then by name
        self.path, self.tmp, self.frames = path, f"{path}.tmp.{os.getpid()}", []
        self.f = open(self.tmp, "wb")
        self.z = zstandard.ZstdCompressor(level=3, write_checksum=True, write_content_size=True)
        header, at = {"__metadata__": metadata}, 0
        for name, dtype, shape in tensors:
            n = int(np.prod(shape, dtype=np.uint64)) * np.dtype(DTYPES[dtype]).itemsize
            header[name] = {"dtype": dtype, "shape": [int(x) for x in shape], "data_offsets": [at, at + n]}
            at += n
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-(8 + len(text)) % 8)
        self.frame(struct.pack("<Q", len(text)) + text)
        self.rest = b""

    def frame(self, data):
        packed = self.z.compress(data)
        self.f.write(packed)
        self.frames.append((len(packed), len(data), xxhash.xxh64_intdigest(data) & 0xFFFFFFFF, xxhash.xxh3_64_intdigest(packed)))

    def append(self, array):
        self.rest += array.tobytes() if isinstance(array, np.ndarray) else array
        while len(self.rest) >= FRAME:
            self.frame(self.rest[:FRAME])
            self.rest = self.rest[FRAME:]

    def end_tensor(self):
        if self.rest:
            self.frame(self.rest)
        self.rest = b""

    def close(self):
        n = len(self.frames)
        index_size = 40 + 8 * n
        table = struct.pack("<II", 0x184D2A5E, 12 * (n + 1) + 9)
        for packed, size, check, _ in self.frames:
            table += struct.pack("<III", packed, size, check)
        table += struct.pack("<III", index_size, 0, xxhash.xxh64_intdigest(b"") & 0xFFFFFFFF)
        table += struct.pack("<IBI", n + 1, 0x80, 0x8F92EAB1)
        index = struct.pack("<II8sII", 0x184D2A5D, 32 + 8 * n, b"GRNINDEX", 1, n)
        index += b"".join(struct.pack("<Q", h) for *_, h in self.frames)
        index += struct.pack("<Q", xxhash.xxh3_64_intdigest(table))
        index += struct.pack("<Q", xxhash.xxh3_64_intdigest(index))
        self.f.write(index + table)
        self.f.flush()
        os.fsync(self.f.fileno())
        self.f.close()
        os.rename(self.tmp, self.path)


class Reader:
    def __init__(self, path):
        self.f = open(path, "rb")
        self.f.seek(-9, os.SEEK_END)
        n, flags, magic = struct.unpack("<IBI", self.f.read(9))
        if magic != 0x8F92EAB1 or flags != 0x80:
            sys.exit(f"{path}: no grn-tools file, or cut short")
        self.f.seek(-9 - 12 * n, os.SEEK_END)
        entry = np.frombuffer(self.f.read(12 * n), "<u4").reshape(n, 3)[:-1].astype(np.uint64)
        self.packed = np.concatenate([[0], np.cumsum(entry[:, 0])]).astype(np.int64)
        self.plain = np.concatenate([[0], np.cumsum(entry[:, 1])]).astype(np.int64)
        head = self.frame(0)
        (size,) = struct.unpack("<Q", head[:8])
        self.header = json.loads(head[8 : 8 + size])
        self.base = 8 + size
        self.meta = self.header.pop("__metadata__")

    def frame(self, k):
        self.f.seek(self.packed[k])
        return zstandard.ZstdDecompressor().decompress(self.f.read(int(self.packed[k + 1] - self.packed[k])))

    def read(self, name, begin=0, end=None):
        t = self.header[name]
        lo, hi = (self.base + x for x in t["data_offsets"])
        lo, hi = lo + begin, hi if end is None else lo + end
        first, out = int(np.searchsorted(self.plain, lo, "right")) - 1, b""
        while lo < hi:
            data = self.frame(first)[lo - self.plain[first] : hi - self.plain[first]]
            out, lo, first = out + data, lo + len(data), first + 1
        return out

    def names(self, name):
        return self.read(name).decode().split("\n")[:-1]


def is_rank(path):
    base = os.path.basename(path)
    if ".rankings." in base or ".scores." in base:
        return ".rankings." in base
    sys.exit(f"{path}: the name must hold .rankings. or .scores., as cisTarget's do")


def to_grn(source, target):
    file = pa.ipc.open_file(pa.memory_map(source))
    text = [f.name for f in file.schema if pa.types.is_string(f.type) or pa.types.is_large_string(f.type)]
    if len(text) != 1:
        sys.exit(f"{source}: {len(text)} columns of names; a cisTarget database has one")
    kind, columns = text[0], [f.name for f in file.schema if f.name != text[0]]
    rows = [x for k in range(file.num_record_batches) for x in file.get_batch(k).column(kind).to_pylist()]
    by_motif = kind in ("motifs", "tracks")  # a row per motif
    motifs, regions = (rows, columns) if by_motif else (columns, rows)
    rank = is_rank(source)
    dtype = "F32" if not rank else "U16" if len(regions) <= 65536 else "U32"
    np_type = np.dtype(DTYPES[dtype])
    with tempfile.TemporaryFile() as spool:
        spool.truncate(max(1, len(motifs) * len(regions) * np_type.itemsize))
        whole = np.memmap(spool, np_type, "r+", shape=(len(motifs), len(regions)))
        at = 0
        for k in range(file.num_record_batches):
            batch = file.get_batch(k)
            for i, name in enumerate(columns):
                v = batch.column(name).to_numpy(zero_copy_only=False).astype(np_type)
                if by_motif:
                    whole[at : at + len(v), i] = v
                else:
                    whole[i, at : at + len(v)] = v
            at += batch.num_rows
        names = {"names.row": "".join(m + "\n" for m in motifs).encode(), "names.col": "".join(r + "\n" for r in regions).encode()}
        meta = {"schema": "grn.matrix/1", "tool": "cistarget_feather.py", "version": "1", "values": "rank" if rank else "cluster score",
                "n_rows": str(len(motifs)), "n_cols": str(len(regions)), "source": os.path.basename(source)}
        w = Writer(target, meta, [("X", dtype, whole.shape)] + [(n, "U8", (len(names[n]),)) for n in sorted(names)])
        for row in whole:
            w.append(np.ascontiguousarray(row))
        w.end_tensor()
        for n in sorted(names):
            w.append(names[n])
            w.end_tensor()
        w.close()
    print(f"{len(motifs)} motifs x {len(regions)}, {'ranks' if rank else 'scores'}", file=sys.stderr)


def to_feather(source, target):
    r = Reader(source)
    if not r.meta.get("schema", "").startswith("grn.matrix/") or "X" not in r.header:
        sys.exit(f"{source}: no dense matrix; scores of grn-build scan --scorer cbust or ranks of grn-build rank are")
    motifs, regions = r.names("names.row"), r.names("names.col")
    rank = r.meta.get("values") == "rank"
    if rank != is_rank(target):
        sys.exit(f"{target}: the values are {'ranks' if rank else 'scores'}: name it .{'rankings' if rank else 'scores'}.feather")
    kind = pa.float32() if not rank else pa.int16() if len(regions) <= 32768 else pa.int32()
    np_type = np.dtype(DTYPES[r.header["X"]["dtype"]])
    schema = pa.schema([pa.field(n, kind) for n in regions] + [pa.field("motifs", pa.string())])
    options = pa.ipc.IpcWriteOptions(compression=pa.Codec("zstd", 6))
    width, step = len(regions) * np_type.itemsize, max(1, (256 << 20) // (4 * len(regions)))
    tmp = f"{target}.tmp.{os.getpid()}"
    with pa.OSFile(tmp, "wb") as f, pa.ipc.new_file(f, schema, options=options) as w:
        for at in range(0, len(motifs), step):
            n = min(step, len(motifs) - at)
            x = np.frombuffer(r.read("X", at * width, (at + n) * width), np_type).reshape(n, len(regions)).T
            columns = [pa.array(np.ascontiguousarray(c).astype(kind.to_pandas_dtype())) for c in x]
            w.write_batch(pa.record_batch(columns + [pa.array(motifs[at : at + n])], schema=schema))
    os.rename(tmp, target)


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("direction", choices=["to-grn", "to-feather"])
parser.add_argument("source")
parser.add_argument("target")
a = parser.parse_args()
(to_grn if a.direction == "to-grn" else to_feather)(a.source, a.target)
