package fuselage.demo.core;

import java.nio.ByteBuffer;

/** Standardizes and quantizes a window, runs the model, and reads its answer. Of one thread. */
public final class WindowClassifier {
    private final ModelCard card;
    private final Backend backend;
    private final Standardizer standardizer;
    private final ByteBuffer input;
    private final ByteBuffer logits;
    private final ByteBuffer attention;

    public WindowClassifier(ModelCard card, Backend backend) {
        this.card = card;
        this.backend = backend;
        standardizer = new Standardizer(card.mean, card.std);
        input = card.input.allocate();
        logits = card.logits.allocate();
        attention = card.attention.allocate();
    }

    /** Answers one window[step][channel] in the channels' units. */
    public Answer classify(float[][] window) {
        if (window.length != card.steps) {
            throw new IllegalArgumentException("A window has " + card.steps + " steps, not " + window.length + ".");
        }
        card.input.write(standardizer.flatten(window), input);
        long start = System.nanoTime();
        backend.run(input, logits, attention);
        long took = System.nanoTime() - start;
        return new Answer(Decision.of(card.logits.read(logits)), card.attention.read(attention), took);
    }

    /** The input, logits and attention of the last window as the tensors hold them, for comparisons. */
    ByteBuffer[] held() {
        return new ByteBuffer[] {input, logits, attention};
    }
}
