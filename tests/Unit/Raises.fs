namespace Curvature.Tests.Unit

open System
open NUnit.Framework

/// Expecting an error.
[<AutoOpen>]
module Raises =

    /// Runs the function, which must raise exactly this type of error, and returns the error for a look at its message.
    let raises<'Error when 'Error :> exn> (f: unit -> obj) : 'Error =
        let run () = f () |> ignore
        Assert.Throws<'Error>(Action run)
