package fuselage.demo;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import fuselage.demo.core.Answer;
import fuselage.demo.core.Backend;
import fuselage.demo.core.GoldenVectors;
import fuselage.demo.core.ModelCard;
import fuselage.demo.core.SelfCheck;
import fuselage.demo.core.Standardizer;
import fuselage.demo.core.UnusableModelException;
import fuselage.demo.core.WindowClassifier;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.json.JSONObject;
import org.junit.Test;
import org.tensorflow.lite.Interpreter;

/** The model of the assets in desktop TensorFlow Lite, through the app's own code. */
public final class TfLiteBackendTest {
    @Test
    public void everyWindowGetsTheGoldenAnswer() throws Exception {
        ModelCard card = TestAssets.card();
        try (Backend backend = new TfLiteBackend(TestAssets.model(), card)) {
            SelfCheck check = SelfCheck.of(new WindowClassifier(card, backend), card, TestAssets.golden());
            System.out.println("Golden vectors: " + check.sameClass + " of " + check.windows + " windows, largest "
                    + "difference " + check.int8Steps + " steps, " + check.floatDifference + " in float");
            assertTrue(check.passed());
        }
    }

    /** Standardization and quantization in Java are those of Python to the last bit. */
    @Test
    public void theInputIsTheGoldenInput() throws Exception {
        ModelCard card = TestAssets.card();
        for (GoldenVectors.Recording recording : TestAssets.recordings()) {
            ByteBuffer input = card.input.allocate();
            card.input.write(new Standardizer(card.mean, card.std).flatten(recording.window), input);
            for (float expected : recording.input) {
                assertEquals(expected, card.input.int8 ? input.get() : input.getFloat(), 0);
            }
        }
    }

    @Test
    public void aWindowDoesNotDependOnTheOneBefore() throws Exception {
        ModelCard card = TestAssets.card();
        List<GoldenVectors.Recording> recordings = TestAssets.recordings();
        float[][] first = recordings.get(0).window;
        float[][] other = recordings.get(recordings.size() - 1).window;
        try (Backend backend = new TfLiteBackend(TestAssets.model(), card)) {
            WindowClassifier classifier = new WindowClassifier(card, backend);
            int before = Interpreter.resets;
            float[] alone = classifier.classify(first).attention;
            classifier.classify(other);
            assertArrayEquals(alone, classifier.classify(first).attention, 0);
            assertEquals(before + 3, Interpreter.resets);
        }
    }

    /** Without the reset it would depend on it: the test above can fail. */
    @Test
    public void withoutResetItWould() throws Exception {
        ModelCard card = TestAssets.card();
        List<GoldenVectors.Recording> recordings = TestAssets.recordings();
        Interpreter interpreter = new Interpreter(TestAssets.model(), new Interpreter.Options());
        interpreter.allocateTensors();
        interpreter.resetVariableTensors();
        byte[] alone = attention(interpreter, card, recordings.get(0));
        attention(interpreter, card, recordings.get(recordings.size() - 1));
        assertFalse(Arrays.equals(alone, attention(interpreter, card, recordings.get(0))));
        interpreter.close();
    }

    private static byte[] attention(Interpreter interpreter, ModelCard card, GoldenVectors.Recording recording) {
        ByteBuffer input = card.input.allocate();
        card.input.write(new Standardizer(card.mean, card.std).flatten(recording.window), input);
        ByteBuffer attention = card.attention.allocate();
        interpreter.runForMultipleInputsOutputs(new Object[] {input},
                Collections.<Integer, Object>singletonMap(card.attention.index, attention));
        byte[] held = new byte[attention.capacity()];
        attention.rewind();
        attention.get(held);
        return held;
    }

    @Test
    public void answersAreMeasured() throws Exception {
        ModelCard card = TestAssets.card();
        try (Backend backend = new TfLiteBackend(TestAssets.model(), card)) {
            Answer answer = new WindowClassifier(card, backend).classify(TestAssets.recordings().get(0).window);
            assertTrue(answer.nanoseconds > 0);
            assertEquals(card.steps, answer.attention.length);
        }
    }

    @Test
    public void aWindowOfAnotherLengthIsRefused() throws Exception {
        ModelCard card = TestAssets.card();
        try (Backend backend = new TfLiteBackend(TestAssets.model(), card)) {
            WindowClassifier classifier = new WindowClassifier(card, backend);
            assertThrows(IllegalArgumentException.class, () -> classifier.classify(new float[7][6]));
        }
    }

    @Test
    public void aCardThatDoesNotFitTheModelIsRefused() throws Exception {
        JSONObject json = new JSONObject(TestAssets.text("model.json"));
        int steps = json.getInt("steps") - 1;
        json.put("steps", steps);
        json.getJSONObject("input").getJSONArray("shape").put(1, steps);
        json.getJSONObject("attention").getJSONArray("shape").put(1, steps);
        ModelCard card = ModelCard.parse(json.toString());
        Exception refusal = assertThrows(
                UnusableModelException.class, () -> new TfLiteBackend(TestAssets.model(), card));
        assertTrue(refusal.getMessage(), refusal.getMessage().contains("model.json says"));
    }

    @Test
    public void whatIsNoModelIsRefused() throws Exception {
        ModelCard card = TestAssets.card();
        ByteBuffer nothing = ByteBuffer.allocateDirect(1000).order(ByteOrder.nativeOrder());
        assertThrows(UnusableModelException.class, () -> new TfLiteBackend(nothing, card));
    }

    @Test
    public void anOutputThatIsNotThereIsRefused() throws Exception {
        JSONObject json = new JSONObject(TestAssets.text("model.json"));
        json.getJSONObject("logits").put("index", 9);
        ModelCard card = ModelCard.parse(json.toString());
        assertThrows(UnusableModelException.class, () -> new TfLiteBackend(TestAssets.model(), card));
    }
}
