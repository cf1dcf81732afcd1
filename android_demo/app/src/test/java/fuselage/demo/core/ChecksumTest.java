package fuselage.demo.core;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import fuselage.demo.TestAssets;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.junit.Test;

public final class ChecksumTest {
    @Test
    public void ofAKnownText() { // the example of FIPS 180-2
        ByteBuffer abc = ByteBuffer.wrap("abc".getBytes(StandardCharsets.US_ASCII));
        abc.position(2);
        assertEquals("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", Checksum.sha256(abc));
        assertEquals(2, abc.position());
    }

    @Test
    public void theModelOfTheAssetsIsTheOneDescribed() throws Exception {
        Checksum.require(TestAssets.model(), TestAssets.card().sha256);
    }

    @Test
    public void oneChangedByteIsRefused() throws Exception {
        ByteBuffer model = TestAssets.model();
        model.put(20_000, (byte) (model.get(20_000) ^ 1));
        String sha256 = TestAssets.card().sha256;
        Exception refusal = assertThrows(UnusableModelException.class, () -> Checksum.require(model, sha256));
        assertTrue(refusal.getMessage(), refusal.getMessage().contains("damaged"));
    }
}
