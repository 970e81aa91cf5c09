namespace Curvature.Samples.Report

open System

[<RequireQualifiedAccess>]
module Progress =

    /// A function as a listener.
    let listen (tell: 'P -> unit) : IProgress<'P> =
        { new IProgress<'P> with
            member _.Report progress = tell progress
        }
