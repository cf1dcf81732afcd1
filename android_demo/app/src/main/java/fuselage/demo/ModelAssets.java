package fuselage.demo;

import android.content.res.AssetFileDescriptor;
import android.content.res.AssetManager;
import fuselage.demo.core.Checksum;
import fuselage.demo.core.GoldenVectors;
import fuselage.demo.core.ModelCard;
import fuselage.demo.core.UnusableModelException;
import java.io.ByteArrayOutputStream;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;

/** What `pipeline export android` put into the assets, read and checked. */
final class ModelAssets {
    final ModelCard card;
    final GoldenVectors golden;
    /** The model file, mapped: it has to lie uncompressed in the APK. */
    final ByteBuffer model;

    ModelAssets(AssetManager assets) throws IOException, UnusableModelException {
        card = ModelCard.parse(text(assets, "model.json"));
        golden = GoldenVectors.parse(text(assets, "golden.json"), card);
        model = mapped(assets, "model.tflite");
        Checksum.require(model, card.sha256);
    }

    private static ByteBuffer mapped(AssetManager assets, String name) throws IOException {
        try (AssetFileDescriptor file = assets.openFd(name);
                FileInputStream stream = new FileInputStream(file.getFileDescriptor())) {
            return stream.getChannel().map(
                    FileChannel.MapMode.READ_ONLY, file.getStartOffset(), file.getDeclaredLength());
        }
    }

    private static String text(AssetManager assets, String name) throws IOException {
        try (InputStream stream = assets.open(name)) {
            ByteArrayOutputStream content = new ByteArrayOutputStream();
            byte[] part = new byte[8192];
            for (int read = stream.read(part); read >= 0; read = stream.read(part)) {
                content.write(part, 0, read);
            }
            return content.toString("UTF-8");
        }
    }
}
