package fuselage.demo;

import android.content.Context;
import android.graphics.Canvas;
import android.graphics.Paint;
import android.text.TextPaint;
import android.text.TextUtils;
import android.util.AttributeSet;
import android.util.TypedValue;
import android.view.View;
import java.util.Collections;
import java.util.List;

/** A bar for the probability of each class. */
public final class ProbabilityView extends View {
    private final TextPaint text = new TextPaint(Paint.ANTI_ALIAS_FLAG);
    private final Paint track = new Paint();
    private final Paint bar = new Paint();
    private final float line;
    private List<String> names = Collections.emptyList();
    private float[] probabilities;

    public ProbabilityView(Context context, AttributeSet attributes) {
        super(context, attributes);
        text.setTextSize(TypedValue.applyDimension(
                TypedValue.COMPLEX_UNIT_SP, 14, getResources().getDisplayMetrics()));
        text.setColor(context.getColor(R.color.text));
        track.setColor(context.getColor(R.color.track));
        bar.setColor(context.getColor(R.color.attention));
        line = 1.6f * text.getTextSize();
    }

    /** Shows one probability a class; null where there is none yet. */
    void show(List<String> classNames, float[] values) {
        if (classNames.size() != names.size()) {
            requestLayout();
        }
        names = classNames;
        probabilities = values;
        invalidate();
    }

    @Override
    protected void onMeasure(int widthSpec, int heightSpec) {
        int height = Math.round(line * names.size());
        setMeasuredDimension(getDefaultSize(getSuggestedMinimumWidth(), widthSpec), resolveSize(height, heightSpec));
    }

    @Override
    protected void onDraw(Canvas canvas) {
        float left = 0.32f * getWidth();
        float right = getWidth() - text.measureText("100 %") - 0.5f * text.getTextSize();
        for (int i = 0; i < names.size(); i++) {
            float top = i * line;
            float baseline = top + line / 2 - (text.ascent() + text.descent()) / 2;
            CharSequence name = TextUtils.ellipsize(
                    names.get(i), text, left - 0.5f * text.getTextSize(), TextUtils.TruncateAt.END);
            canvas.drawText(name, 0, name.length(), 0, baseline, text);
            canvas.drawRect(left, top + 0.25f * line, right, top + 0.75f * line, track);
            if (probabilities != null) {
                canvas.drawRect(left, top + 0.25f * line, left + probabilities[i] * (right - left),
                        top + 0.75f * line, bar);
                String percent = getContext().getString(R.string.percent, 100 * probabilities[i]);
                canvas.drawText(percent, getWidth() - text.measureText(percent), baseline, text);
            }
        }
    }
}
