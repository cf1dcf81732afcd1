package fuselage.demo;

import fuselage.demo.core.GoldenVectors;
import fuselage.demo.core.ModelCard;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.List;

/** The app's assets, read from the source tree. */
public final class TestAssets {
    private TestAssets() {}

    public static byte[] bytes(String name) throws IOException {
        Path fromModule = Paths.get("src/main/assets", name); // where Gradle runs the tests
        return Files.readAllBytes(Files.exists(fromModule) ? fromModule : Paths.get("app/src/main/assets", name));
    }

    public static String text(String name) throws IOException {
        return new String(bytes(name), StandardCharsets.UTF_8);
    }

    public static ByteBuffer model() throws IOException {
        byte[] content = bytes("model.tflite");
        ByteBuffer buffer = ByteBuffer.allocateDirect(content.length).order(ByteOrder.nativeOrder());
        buffer.put(content);
        buffer.rewind();
        return buffer;
    }

    public static ModelCard card() throws Exception {
        return ModelCard.parse(text("model.json"));
    }

    public static List<GoldenVectors.Recording> recordings() throws Exception {
        return golden().recordings;
    }

    public static GoldenVectors golden() throws Exception {
        return GoldenVectors.parse(text("golden.json"), card());
    }
}
