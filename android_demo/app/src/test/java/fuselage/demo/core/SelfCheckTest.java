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
    private static SelfCheck check(float off, int at, boolean floats) throws Exception {
        double limit = floats ? 4e-4 : 1;
        return check(off, at, floats, limit);
    }

    private static SelfCheck check(final float off, final int at, boolean floats, double limit) throws Exception {
        JSONObject json = new JSONObject(TestAssets.text("model.json"));
        if (floats) {
            for (String name : new String[] {"logits", "attention"}) {
                json.getJSONObject(name).put("type", "float32").put("step", 0);
            }
        }
        final ModelCard card = ModelCard.parse(json.toString());
        JSONObject text = new JSONObject(TestAssets.text("golden.json"));
        text.getJSONObject("limits").put("attention", limit).put("logits", 0);
        GoldenVectors golden = GoldenVectors.parse(text.toString(), card);
        final List<GoldenVectors.Recording> recordings = golden.recordings;
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
        }), card, golden);
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
    public void theLimitIsThatOfGoldenJson() throws Exception {
        assertTrue(check(2, 8, false, 2).passed());
        assertFalse(check(3, 8, false, 2).passed());
        assertFalse(check(1, 8, false, 0).passed());
    }

    @Test
    public void aFloatModelHasToAgreeWithinItsTolerance() throws Exception {
        assertTrue(check(1e-5f, 3, true).passed());
        assertFalse(check(0.1f, 3, true).passed());
        assertFalse(check(Float.NaN, 3, true).passed());
    }
}
