namespace Curvature.CSharp;

/// <summary>Small language models of the GPT kind (Radford et al. 2019). Names are those of nanoGPT.</summary>
public static class Transformer
{
    /// <summary>A GPT: <see cref="DType.Int32"/> tokens [batch, length] to logits of the next token [batch, length, vocabulary].</summary>
    /// <param name="vocabulary">The number of different tokens.</param>
    /// <param name="context">The greatest length.</param>
    /// <param name="layers">The number of blocks, 10000 at most.</param>
    /// <param name="heads">Heads of attention, which divide the width.</param>
    /// <param name="width">Features of a place.</param>
    /// <exception cref="ArgumentRangeException">A count is less than 1, the heads do not divide the width, or there
    /// are more than 10000 layers.</exception>
    public static Network Gpt(int vocabulary, int context, int layers, int heads, int width) =>
        FSharp.Transformer.gpt(vocabulary, context, layers, heads, width);

    /// <summary>The same network as a layer.</summary>
    /// <exception cref="ArgumentRangeException">A count is less than 1, the heads do not divide the width, or there
    /// are more than 10000 layers.</exception>
    public static Layer GptLayer(int vocabulary, int context, int layers, int heads, int width) =>
        FSharp.Transformer.gptLayer(vocabulary, context, layers, heads, width);
}
