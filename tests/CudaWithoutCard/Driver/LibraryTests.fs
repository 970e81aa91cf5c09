/// The whole library on a card whose launches compute here.
module Curvature.Tests.CudaWithoutCard.LibraryTests

open Expecto
open Expecto.Flip

[<Tests>]
let tests =
    testSequenced
    <| testList "CudaWithoutCard.LibraryTests" [
        for name, run in LibraryCases.all do
            test $"everything runs on a card and gives what the processor gives ({name})" {
                Pocl.require ()
                Stub.reset ()
                let launches = Launches()
                Stub.listen launches.Listener
                use card = Stub.openDevice ()
                LibraryCases.check card (name, run)
                launches.Check()
                Expect.equal "misuses" 0 (Stub.misuses ())
            }
    ]
