namespace Curvature.Tests.Unit

open Curvature.Tests

/// Expecting an error.
[<AutoOpen>]
module Raises =

    /// Runs the function, which must raise exactly this type of error, and returns the error for a look at its message.
    let raises<'Error when 'Error :> exn> (f: unit -> obj) : 'Error = Expect.thrown<'Error>(fun () -> f () |> ignore)
