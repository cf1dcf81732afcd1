package fuselage.demo;

import fuselage.demo.core.Backend;
import fuselage.demo.core.ModelCard;
import fuselage.demo.core.TensorFormat;
import fuselage.demo.core.UnusableModelException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.tensorflow.lite.DataType;
import org.tensorflow.lite.Interpreter;
import org.tensorflow.lite.Tensor;

/** The model in TFLite's interpreter, on one thread. */
final class TfLiteBackend implements Backend {
    private final ModelCard card;
    private final Interpreter interpreter;

    /**
     * Loads the model.
     *
     * @param model the file, in a direct buffer that stays as long as this does
     */
    TfLiteBackend(ByteBuffer model, ModelCard card) throws UnusableModelException {
        this.card = card;
        Interpreter.Options options = new Interpreter.Options();
        options.setNumThreads(1); // so small a model has nothing to share
        try {
            interpreter = new Interpreter(model, options);
        } catch (RuntimeException error) {
            throw new UnusableModelException("TFLite refuses the model: " + error.getMessage(), error);
        }
        try {
            interpreter.allocateTensors();
            require("input", card.input, interpreter.getInputTensor(card.input.index));
            require("logits", card.logits, interpreter.getOutputTensor(card.logits.index));
            require("attention", card.attention, interpreter.getOutputTensor(card.attention.index));
        } catch (UnusableModelException error) {
            interpreter.close();
            throw error;
        } catch (RuntimeException error) {
            interpreter.close();
            throw new UnusableModelException("The model is not the one described: " + error.getMessage(), error);
        }
    }

    @Override
    public void run(ByteBuffer input, ByteBuffer logits, ByteBuffer attention) {
        interpreter.resetVariableTensors(); // the LSTM would start from the state of the window before
        input.rewind();
        logits.rewind();
        attention.rewind();
        Map<Integer, Object> outputs = new HashMap<>();
        outputs.put(card.logits.index, logits);
        outputs.put(card.attention.index, attention);
        interpreter.runForMultipleInputsOutputs(new Object[] {input}, outputs);
    }

    @Override
    public void close() {
        interpreter.close();
    }

    private static void require(String name, TensorFormat said, Tensor found) throws UnusableModelException {
        DataType type = said.int8 ? DataType.INT8 : DataType.FLOAT32;
        if (found.dataType() != type || !Arrays.equals(found.shape(), said.shape)) {
            throw new UnusableModelException("The model's " + name + " is " + found.dataType() + " "
                    + Arrays.toString(found.shape()) + "; model.json says " + type + " "
                    + Arrays.toString(said.shape) + ".");
        }
    }
}
