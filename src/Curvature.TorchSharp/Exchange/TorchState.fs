namespace Curvature.TorchSharp

open global.TorchSharp

/// The parts of torch's state that are shared by all threads or belong to the user, and how they are left as they were.
module internal TorchState =

    /// The .grad of parameters, their values and the random state are shared, so that one thread works at a time.
    let private gate = obj ()

    /// Runs alone, in a dispose scope of its own, and outside of no_grad and inference mode that the caller is in.
    let exclusively (name: string) (work: unit -> 'R) : 'R =
        lock gate (fun () ->
            TorchErrors.guard name (fun () ->
                use _inference = torch.inference_mode false
                use _grad = torch.enable_grad true
                use _scope = torch.NewDisposeScope()
                work ()))

    /// A copy of the state of torch's random numbers that outlives dispose scopes.
    let randomState () : torch.Tensor = torch.random.get_rng_state().DetachFromDisposeScope()

    /// Runs what may draw random numbers, and puts their state back. Where a state is given, it begins from there.
    let keepingRandomState (from: torch.Tensor voption) (work: unit -> 'R) : 'R =
        use before = randomState ()

        try
            match from with
            | ValueSome state -> torch.random.set_rng_state state
            | ValueNone -> ()

            work ()
        finally
            torch.random.set_rng_state before
