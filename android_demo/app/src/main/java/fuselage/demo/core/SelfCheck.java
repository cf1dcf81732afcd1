package fuselage.demo.core;

import java.nio.ByteBuffer;
import java.util.List;

/** Whether this device computes what the exporting machine computed: the recorded windows run again. */
public final class SelfCheck {
    /**
     * Of an output that is float all through: of each step of the recurrence a few roundings of float32
     * (2^-24 each) turn with another order of summation; 2^-18 a step is also what the build allows between
     * its float file and Keras.
     */
    private static final double FLOAT_TOLERANCE_PER_STEP = Math.pow(2, -18);

    public final int windows;
    /** How many of them got the same class. */
    public final int sameClass;
    /** The largest difference of a quantized output, in its steps; 0 where there is none. */
    public final int int8Steps;
    /** The largest difference of an output that is float all through; 0 where there is none. */
    public final double floatDifference;
    private final double floatTolerance;

    private SelfCheck(int windows, int sameClass, int int8Steps, double floatDifference, double floatTolerance) {
        this.windows = windows;
        this.sameClass = sameClass;
        this.int8Steps = int8Steps;
        this.floatDifference = floatDifference;
        this.floatTolerance = floatTolerance;
    }

    /** Runs every recording. */
    public static SelfCheck of(WindowClassifier classifier, ModelCard card, List<GoldenVectors.Recording> recordings) {
        int same = 0;
        double[] largest = new double[2]; // of quantized outputs in steps, of float outputs
        for (GoldenVectors.Recording recording : recordings) {
            Answer answer = classifier.classify(recording.window);
            if (card.classNames.get(answer.decision.best).equals(recording.answer)) {
                same++;
            }
            ByteBuffer[] held = classifier.held();
            note(largest, card.logits, held[1], recording.logits);
            note(largest, card.attention, held[2], recording.attention);
        }
        return new SelfCheck(recordings.size(), same, (int) largest[0], largest[1],
                FLOAT_TOLERANCE_PER_STEP * card.steps);
    }

    /** Every class the same, int8 outputs within one step, float outputs within the tolerance. */
    public boolean passed() {
        return sameClass == windows && int8Steps <= 1 && floatDifference <= floatTolerance;
    }

    private static void note(double[] largest, TensorFormat format, ByteBuffer held, float[] expected) {
        held.rewind();
        int kind = format.step > 0 ? 0 : 1;
        for (float value : expected) {
            double difference = Math.abs((format.int8 ? held.get() : held.getFloat()) - (double) value);
            if (!format.int8 && format.step > 0) {
                difference = Math.rint(difference / format.step);
            }
            // NaN passes every comparison: it counts as the largest difference there is.
            largest[kind] = Double.isNaN(difference) ? Double.POSITIVE_INFINITY : Math.max(largest[kind], difference);
        }
    }
}
