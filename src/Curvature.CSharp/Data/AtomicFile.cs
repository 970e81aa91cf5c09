using Microsoft.FSharp.Core;

namespace Curvature.CSharp;

/// <summary>Files that are written as a whole or not at all: a reader, and a program after an interruption, finds the
/// old content or the new, never a part.</summary>
public static class AtomicFile
{
    /// <inheritdoc cref="FSharp.AtomicFile.write"/>
    public static void Write(string path, Action<Stream> writer) =>
        FSharp.AtomicFile.write(path.NotNull(), FuncConvert.FromAction(writer.NotNull()));

    /// <inheritdoc cref="FSharp.AtomicFile.writeText"/>
    public static void WriteText(string path, string text) =>
        FSharp.AtomicFile.writeText(path.NotNull(), text.NotNull());
}
