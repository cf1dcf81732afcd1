package fuselage.demo.core;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import fuselage.demo.TestAssets;
import java.nio.ByteBuffer;
import java.util.List;
import org.json.JSONObject;
import org.junit.Test;

/** With a model that answers as golden.json says, but for what a test changes. */
public final class SelfCheckTest {
    private static SelfCheck check(final float off, final int at, boolean floats) throws Exception {
        JSONObject json = new JSONObject(TestAssets.text("model.json"));
        if (floats) {
            for (String name : new String[] {"logits", "attention"}) {
                json.getJSONObject(name).put("type", "float32").put("step", 0);
            }
        }
        final ModelCard card = ModelCard.parse(json.toString());
        final List<GoldenVectors.Recording> recordings = GoldenVectors.parse(TestAssets.text("golden.json"), card);
        return SelfCheck.of(new WindowClassifier(card, new Backend() {
            private int runs;

            @Override
            public void run(ByteBuffer input, ByteBuffer logits, ByteBuffer attention) {
                GoldenVectors.Recording said = recordings.get(runs++);
                put(card.logits, said.logits, logits, 0);
                put(card.attention, said.attention, attention, runs == at ? off : 0);
            }

            @Override
            public void close() {}
        }), card, recordings);
    }

    private static void put(TensorFormat format, float[] values, ByteBuffer to, float off) {
        to.rewind();
        for (int i = 0; i < values.length; i++) {
            float value = values[i] + (i == 5 ? off : 0);
            if (format.int8) {
                to.put((byte) value);
            } else {
                to.putFloat(value);
            }
        }
    }

    @Test
    public void passesWhereNothingDiffers() throws Exception {
        SelfCheck found = check(0, 1, false);
        assertTrue(found.passed());
        assertEquals(found.windows, found.sameClass);
        assertEquals(0, found.int8Steps);
    }

    @Test
    public void oneStepIsAllowedAndTwoAreNot() throws Exception {
        assertTrue(check(1, 8, false).passed());
        SelfCheck two = check(2, 8, false);
        assertEquals(2, two.int8Steps);
        assertFalse(two.passed());
    }

    @Test
    public void aFloatModelHasToAgreeWithinItsTolerance() throws Exception {
        assertTrue(check(1e-5f, 3, true).passed());
        assertFalse(check(1e-3f, 3, true).passed());
        assertFalse(check(Float.NaN, 3, true).passed());
    }
}
