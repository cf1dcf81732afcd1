package fuselage.demo.core;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** SHA-256, and the refusal of a file that has another. */
public final class Checksum {
    private Checksum() {}

    /** The checksum of all that is in the buffer, whose position stays, in hexadecimal. */
    public static String sha256(ByteBuffer content) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            ByteBuffer all = content.duplicate();
            all.rewind();
            digest.update(all);
            StringBuilder text = new StringBuilder();
            for (byte one : digest.digest()) {
                text.append(Character.forDigit((one >> 4) & 15, 16)).append(Character.forDigit(one & 15, 16));
            }
            return text.toString();
        } catch (NoSuchAlgorithmException error) {
            throw new AssertionError("Every Android and every JVM has SHA-256.", error);
        }
    }

    /** Refuses a model that is not the one the description was written for. */
    public static void require(ByteBuffer model, String sha256) throws UnusableModelException {
        String found = sha256(model);
        if (!found.equals(sha256)) {
            throw new UnusableModelException("The model is damaged, or not the one described: its SHA-256 is "
                    + found.substring(0, 8) + "…, not " + sha256 + ".");
        }
    }
}
