"""What every `Blobs` guarantees. An adapter's test class inherits this and gives the fixture `blobs`."""

from dataclasses import replace

import pytest

from vextir_os.errors import BlobMismatchError, NotFoundError, TooLargeError
from vextir_os.events.limits import BLOB_BYTES
from vextir_os.ports.blobs import BlobRef, Blobs


class BlobsContract:
    """The core."""

    @pytest.mark.parametrize("data", [b"", b"\x00\xff" * 1000, b"x" * 300_000], ids=["empty", "binary", "large"])
    async def test_bytes_come_back_as_they_were(self, blobs: Blobs, data: bytes) -> None:
        ref = await blobs.put("r1/data", data)
        assert ref == BlobRef.of("r1/data", data)
        assert await blobs.get(ref) == data

    async def test_the_same_name_again_replaces_the_bytes(self, blobs: Blobs) -> None:
        old = await blobs.put("r1/data", b"old")
        new = await blobs.put("r1/data", b"new")
        assert await blobs.get(new) == b"new"
        with pytest.raises(BlobMismatchError, match="r1/data"):
            await blobs.get(old)

    async def test_a_reference_that_names_another_hash_or_size_is_refused(self, blobs: Blobs) -> None:
        ref = await blobs.put("r1/data", b"bytes")
        for wrong in (replace(ref, sha256="0" * 64), replace(ref, size_bytes=4)):
            with pytest.raises(BlobMismatchError, match="not what its reference names"):
                await blobs.get(wrong)

    async def test_a_missing_blob_is_named(self, blobs: Blobs) -> None:
        with pytest.raises(NotFoundError, match="r1/data"):
            await blobs.get(BlobRef.of("r1/data", b""))

    async def test_all_blobs_of_one_record_go_together_and_no_others(self, blobs: Blobs) -> None:
        gone = [await blobs.put(name, b"x") for name in ("r1/a", "r1/b/c")]
        kept = [await blobs.put(name, b"x") for name in ("r10/a", "r1.x/a", "r/1/a", "R1/a")]
        await blobs.delete_all("r1")
        await blobs.delete_all("r1")
        for ref in gone:
            with pytest.raises(NotFoundError, match=ref.name):
                await blobs.get(ref)
        for ref in kept:
            assert await blobs.get(ref) == b"x"

    async def test_more_than_64_megabytes_are_refused(self, blobs: Blobs) -> None:
        with pytest.raises(TooLargeError, match="r1/data"):
            await blobs.put("r1/data", bytes(BLOB_BYTES + 1))
